import { expect } from 'chai'
import { OutcomeBox } from '#src/runtime/outcome-box.js'
import { feed } from '#src/runtime/tracking/feed.js'
import type { StatusSource } from '#src/runtime/tracking/source.js'
import type { TaskRecord } from '#src/store/store.js'

const COMPLETED: TaskRecord = {
  id: 'one',
  state: 'completed',
  createdAt: 0,
  changedAt: 0,
  tags: [],
  runs: [],
  progress: { value: true },
  isReadOnce: true,
}
const turn = (): Promise<unknown> => new Promise((resolve) => setImmediate(resolve))

describe('A result that can be read once', () => {
  it('is given to who took it, although the news that it was taken comes before the answer', async () => {
    let isTaken = false
    let tell = (): void => {}
    const source: StatusSource = {
      find: async () => (isTaken ? undefined : COMPLETED),
      watch: async (onChange) => {
        tell = onChange
        return { stop: async () => {} }
      },
      take: async () => {
        isTaken = true
        tell()
        await turn()
        return true
      },
      cancel: () => Promise.reject(new Error('not asked for')),
    }
    const box = new OutcomeBox()
    const stop = feed({ id: 'one', box, source, isById: true, onTaken: () => {} })

    expect(await box.wait('one', 5_000, undefined)).to.equal(undefined)
    stop()
  })
})
