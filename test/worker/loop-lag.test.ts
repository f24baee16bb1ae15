import { expect } from 'chai'
import { silentLogger } from '#src/core/logger.js'
import { LagWatch, lagLimitMs } from '#worker/loop-lag.js'
import { eachScope } from '../kit/temporary.js'
import { until } from '../kit/until.js'

describe('The watch over the event loop of a worker', () => {
  const scope = eachScope()
  let looks: number
  let now: number
  let warnings: string[]

  function watch(): LagWatch {
    looks = 0
    now = 1_000_000
    warnings = []
    // moves only when told to, and counts who asks
    const elapsedMs = (): number => {
      looks++
      return now
    }
    const lag = new LagWatch({ log: { ...silentLogger, warn: (line) => void warnings.push(line) }, elapsedMs, limitMs: 5_000, everyMs: 1 })
    scope().defer(() => lag.close())
    return lag
  }

  /** The time goes on by `ms`, and is looked at. */
  async function pass(ms: number): Promise<void> {
    now += ms
    const seen = looks
    await until('a look', () => looks > seen + 1)
  }

  it('names the tasks that ran while it was blocked, also one that has ended by then', async () => {
    const lag = watch()
    lag.begin('Report.year')
    lag.begin('Mail.send')
    lag.end('Report.year')

    await pass(6_000)

    expect(warnings).to.have.length(1)
    expect(warnings[0]).to.match(/was blocked for 6\.0 s: .*Running then: Report\.year, Mail\.send\. .*isolation: 'thread'/)
  })

  it('does not name a task that ended before', async () => {
    const lag = watch()
    lag.begin('Report.year')
    lag.end('Report.year')
    await pass(10)

    await pass(6_000)

    expect(warnings).to.have.length(1)
    expect(warnings[0]).to.contain('No task ran then.')
  })

  it('says nothing of short blocks, and of long ones once a minute', async () => {
    watch()

    await pass(4_000)
    expect(warnings).to.have.length(0)
    await pass(6_000)
    await pass(6_000)
    expect(warnings).to.have.length(1)
    await pass(61_000)
    expect(warnings).to.have.length(2)
  })

  it('takes a wall clock that is set for no block', async () => {
    warnings = []
    const wallClock = Date.now
    const elapsed = performance.now.bind(performance)
    scope().defer(() => {
      Date.now = wallClock
      performance.now = elapsed
    })
    let asked = 0
    performance.now = () => {
      asked++
      return elapsed()
    }
    const lag = new LagWatch({ log: { ...silentLogger, warn: (line) => void warnings.push(line) }, limitMs: 5_000, everyMs: 1 })
    scope().defer(() => lag.close())

    Date.now = () => wallClock() + 3_600_000
    await new Promise<void>((resolve) => {
      const look = (): void => void (asked > 5 ? resolve() : setTimeout(look, 1))
      look()
    })

    expect(warnings).to.deep.equal([])
  })

  it('is stricter where the server ends silent connections soon', () => {
    const rabbit = { kind: 'rabbitmq', urls: [], namespace: 'shop', queueType: 'quorum', connectTimeoutMs: 1, confirmTimeoutMs: 1, ackTimeoutMs: 1, tls: {} } as const

    expect(lagLimitMs({ ...rabbit, heartbeatSeconds: 2 })).to.equal(2_000)
    expect(lagLimitMs({ ...rabbit, heartbeatSeconds: 60 })).to.equal(5_000)
    expect(lagLimitMs({ ...rabbit, heartbeatSeconds: 0 })).to.equal(5_000)
    expect(lagLimitMs({ kind: 'memory' })).to.equal(5_000)
  })
})
