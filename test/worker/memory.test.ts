import { expect } from 'chai'
import { watchMemory } from '#worker/memory.js'
import { eachScope } from '../kit/temporary.js'
import { until } from '../kit/until.js'

const MB = 1024 * 1024

describe('The memory limit of a worker', () => {
  const scope = eachScope()

  it('is told once when it is exceeded, with what is in use', async () => {
    const told: number[] = []
    const readings = [100 * MB, 150 * MB, 151 * MB, 200 * MB]
    let read = 0

    scope().defer(watchMemory({ maxMb: 150, everyMs: 1, read: () => readings[read++] ?? 0, onExceeded: (mb) => void told.push(mb) }))
    await until('the alarm', () => told.length > 0)

    expect(told).to.deep.equal([151])
    expect(read).to.equal(3)
  })

  it('is not looked at when it is 0, or after the watch has ended', () => {
    const refuse = (): never => {
      throw new Error('nobody may look')
    }

    watchMemory({ maxMb: 0, everyMs: 0, read: refuse, onExceeded: refuse })()
    watchMemory({ maxMb: 1, everyMs: 0, read: refuse, onExceeded: refuse })()
  })

  it('is compared with the memory of this very process', async () => {
    const mb = await new Promise<number>((resolve) => {
      scope().defer(watchMemory({ maxMb: 1, everyMs: 1, onExceeded: resolve }))
    })

    expect(mb).to.be.within(20, 10_000)
  })
})
