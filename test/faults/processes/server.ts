// A server that calls tasks as it is told, and writes down which calls resolved. Its argument: the options of start(), as JSON.
import { setTimeout as sleep } from 'node:timers/promises'
import { enqueue, ErrandError, start, withContext, type StartOptions } from 'errand'
import { record } from './journal.js'
import { leaveWithSuite } from './leave-with-suite.js'
import type { DispatchOrder, ServerNews, ServerOrder } from './orders.js'
import { keyed, retried, work } from './tasks.js'
import { tellUsage } from './usage.js'

const TURN_MS = 10
const TASKS = { work, retried, keyed }

/** Batches that are to end before their last call. */
const enough = new Set<number>()

const letGo = leaveWithSuite()
const tell = (news: ServerNews): void => void process.send?.(news)
const say = (line: string): void => void process.stdout.write(`${new Date().toISOString()} ${line}\n`)

// written by the suite
const options = JSON.parse(process.argv[2] ?? '{}') as StartOptions
const running = await start({ ...options, logger: { debug: say, info: say, warn: say, error: say } })
await running.ready

process.on('message', (order: ServerOrder) => {
  if (order.do === 'stop') void stop()
  else if (order.do === 'enough') enough.add(order.batch)
  else void dispatch(order).then(() => tell({ is: 'dispatched', batch: order.batch }))
})
const quiet = tellUsage()
tell({ is: 'ready' })

async function dispatch(order: DispatchOrder): Promise<void> {
  const { count, perSecond, inFlight } = order
  const began = Date.now()
  const open = new Set<Promise<void>>()
  for (let number = 0; number < count && !enough.has(order.batch); number++) {
    while (open.size >= inFlight) await Promise.race(open)
    while ((number * 1000) / perSecond > Date.now() - began) await sleep(TURN_MS)
    const call = callOne(order, number).finally(() => open.delete(call))
    open.add(call)
  }
  await Promise.all(open)
}

async function callOne(order: DispatchOrder, number: number): Promise<void> {
  const id = `${order.prefix}${number}`
  record('ERRAND_FAULT_CALLS', 'called', id)
  try {
    await withContext({ user: { id: 'ada' } }, () => send(order, number, id))
    record('ERRAND_FAULT_CALLS', 'stored', id)
  } catch (error) {
    record('ERRAND_FAULT_CALLS', 'refused', id, error instanceof ErrandError ? error.code : 'UNTYPED')
    if (!(error instanceof ErrandError)) say(`untyped: ${String(error)}`)
  }
}

async function send({ task, how, delaysMs, queue, queues }: DispatchOrder, number: number, id: string): Promise<void> {
  const delayMs = delaysMs?.[number % delaysMs.length]
  const chosen = queues?.[number % queues.length] ?? queue
  if (delayMs === undefined && chosen === undefined) return TASKS[task](id, how)
  // a call with options of its own
  const delay = delayMs === undefined ? {} : ({ delay: `${delayMs}ms` } as const)
  if (delayMs !== undefined) record('ERRAND_FAULT_CALLS', 'delayed', id, delayMs)
  await enqueue(() => TASKS[task](id, how), { ...delay, ...(chosen === undefined ? {} : { queue: chosen }) })
}

/** Nothing may keep the process alive from here on: the suite waits for its end. */
async function stop(): Promise<void> {
  quiet()
  await running.stop()
  letGo()
}
