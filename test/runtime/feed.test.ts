import { expect } from 'chai'
import { createHandle } from '#src/runtime/handle.js'
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
    const stop = feed({ id: 'one', box, source, isById: true, taking: { isUnderWay: false }, onTaken: () => {} })

    expect(await box.wait('one', 5_000, undefined)).to.equal(undefined)
    stop()
  })

  it('is given to all who wait for it by one handle, and taken once', async () => {
    let takes = 0
    const source: StatusSource = {
      find: async () => (takes > 0 ? undefined : COMPLETED),
      watch: async () => ({ stop: async () => {} }),
      take: async () => {
        await turn()
        return ++takes === 1
      },
      cancel: () => Promise.reject(new Error('not asked for')),
    }
    const handle = createHandle({ id: 'one', task: 'one', box: new OutcomeBox(), source, timeoutMs: 5_000, isById: true })

    expect(await Promise.all([handle.result(), handle.result()])).to.deep.equal([undefined, undefined])
    expect(takes).to.equal(1)
  })
})
