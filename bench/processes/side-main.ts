// One side of one system, in a process of its own: forked by ../side.ts, does what it is told, answers each order.
import { findSystem } from '../systems/index.js'
import { inTurns, type Caller, type Closing } from '../system.js'
import { counter } from './counter.js'
import { nowMs, type Answer, type Order, type Question, type Settled, type Times, type Usage } from './orders.js'
import { costsOf } from './parts.js'
import { restMs } from './rest.js'
import { countTraffic, traffic } from './traffic.js'

countTraffic()
let opened: Closing | undefined
let caller: Caller | undefined

// Side sends nothing else
process.on('message', (question: Question) => void answer(question))
process.once('disconnect', () => process.exit())

async function answer({ number, order }: Question): Promise<void> {
  const reply = await follow(order).then(
    (value): Answer => ({ number, value }),
    (error: unknown): Answer => ({ number, error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
  )
  process.send?.(reply)
}

async function follow(order: Order): Promise<unknown> {
  switch (order.do) {
    case 'open':
      return open(order)
    case 'dispatch': {
      const begunMs = nowMs()
      await theCaller().dispatch(order.count, order.inFlight)
      return { begunMs, endedMs: nowMs() }
    }
    case 'one at a time':
      return timed(order.count, 1, () => theCaller().dispatch(1, 1))
    case 'results':
      return results(order.count, order.inFlight)
    case 'expect':
      return counter.expect(order.count, order.skip)
    case 'settle':
      return settle(order.count)
    case 'parts':
      return costsOf(findSystem(order.system), order.place)
    case 'usage':
      return usage()
    default:
      return close()
  }
}

const close = async (): Promise<void> => opened?.close()

async function open({ side, system: name, place }: Extract<Order, { do: 'open' }>): Promise<void> {
  const system = findSystem(name)
  if (side === 'worker') {
    opened = await system.startWorker(place, counter.body)
    return
  }
  caller = await system.openCaller(place)
  opened = caller
}

async function settle(count: number): Promise<Settled> {
  const ran = await counter.expect(count)
  return { ...ran, settledMs: await restMs() }
}

async function results(count: number, inFlight: number): Promise<Times | undefined> {
  const asked = theCaller()
  return asked.result === undefined ? undefined : timed(count, inFlight, async (number) => asked.result?.(number))
}

async function timed(count: number, inFlight: number, send: (number: number) => Promise<unknown>): Promise<Times> {
  const eachMs: number[] = []
  const begunMs = nowMs()
  await inTurns(count, inFlight, async (number) => {
    const begun = performance.now()
    await send(number)
    eachMs.push(performance.now() - begun)
  })
  return { begunMs, endedMs: nowMs(), eachMs }
}

function usage(): Usage {
  const { user, system } = process.cpuUsage()
  return {
    cpuSeconds: (user + system) / 1e6,
    memoryMb: process.memoryUsage.rss() / 2 ** 20,
    peakMemoryMb: process.resourceUsage().maxRSS / 1024,
    wrong: counter.wrong,
    ...traffic(),
  }
}

function theCaller(): Caller {
  if (caller === undefined) throw new Error('this process is no caller')
  return caller
}
