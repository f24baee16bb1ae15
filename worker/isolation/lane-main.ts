/** The thread or process of a lane. Everything it needs comes over its channel. */
import { isMainThread, parentPort } from 'node:worker_threads'
import { openWithOutbox } from '../../src/compose/outbox.js'
import { systemClock } from '../../src/core/clock.js'
import { currentScope } from '../../src/core/context.js'
import { silentLogger, type Logger } from '../../src/core/logger.js'
import type { ErrorReporter } from '../../src/core/report.js'
import { ErrandError } from '../../src/errors.js'
import { createExecutor, type Executor } from '../../src/runtime/execute.js'
import { LazySignal } from '../../src/core/lazy-signal.js'
import type { Delivery } from '../../src/broker/broker.js'
import { prepare, reportFatal, undo, type Prepared } from '../prepared.js'
import type { WorkerInstructions } from '../supervisor/protocol.js'
import { watchParent } from '../watchdog.js'
import { lazyBroker } from './lazy-broker.js'
import { laneLog } from './lane-log.js'
import { readToLane, type FromLane } from './protocol.js'

/** With its worker gone, what it runs has been given to another already. */
const ORPHAN_KILL_MS = 1_000
const LAST_REPORT_MS = 2_000
const MEGABYTE = 1024 * 1024

/** Read before the first word: a worker that answers it was alive then. */
const worker = process.ppid
let log: Logger = silentLogger
let report: ErrorReporter = () => {}
let prepared: Prepared | undefined
let executor: Executor | undefined
let signal = new LazySignal()
let isDying = false

process.on('uncaughtException', (error) => void die(error))
process.on('unhandledRejection', (error) => void die(error))
if (isMainThread) beProcess()
else parentPort?.on('message', hear)
say({ lane: 'hello' })

/** A process may outlive its worker, and gets the signals of its terminal, which are for the worker to heed. */
function beProcess(): void {
  process.stdout.on('error', () => {}) // who read it is gone
  process.stderr.on('error', () => {})
  process.on('SIGTERM', () => {})
  process.on('SIGINT', () => {})
  process.on('message', hear)
  process.on('disconnect', () => process.exit(0))
  if (!process.connected) process.exit(0)
  watchParent({ parent: worker, limitMs: ORPHAN_KILL_MS, onFailure: () => {} })
}

function hear(message: unknown): void {
  const said = readToLane(message)
  if (said?.lane === 'open' && prepared === undefined) void open(said)
  if (said?.lane === 'run') void run(said.delivery)
  if (said?.lane === 'abort') signal.abort(new ErrandError(said.code, said.why))
  if (said?.lane === 'close') void close()
}

async function open({ config, modules }: WorkerInstructions): Promise<void> {
  log = laneLog(say)
  const broker = lazyBroker(() => openWithOutbox(config, log, systemClock))
  try {
    prepared = await prepare({ config, modules, log, broker, guardPorts: 'always', callsWhileLoading: 'withheld', isLane: true, onReporter: useReporter })
    executor = createExecutor(prepared.runtime, { isLane: true })
    say({ lane: 'ready' })
  } catch (error) {
    say({ lane: 'unloadable', why: error instanceof Error ? error.message : 'unknown' }, () => process.exit(1))
  }
}

function useReporter(loaded: ErrorReporter): void {
  report = loaded
}

async function run(delivery: Delivery): Promise<void> {
  signal = new LazySignal()
  const verdict = await executor?.run(delivery, signal)
  if (verdict !== undefined && !isDying) say({ lane: 'settled', verdict, memoryMb: Math.round(process.memoryUsage.rss() / MEGABYTE) })
}

async function close(): Promise<void> {
  await undo(prepared?.cleanUp ?? [], log)
  process.exit(0)
}

/** An error came through that nothing caught: nobody knows what is broken now, so the lane goes, and nothing else. */
async function die(error: unknown): Promise<void> {
  if (isDying) return
  isDying = true
  const task = currentScope()?.task
  setTimeout(() => process.exit(1), LAST_REPORT_MS)
  const whose = task === undefined ? 'code outside of its tasks' : `${task.name} (id ${task.id})`
  const why = `${whose} left an error that nothing caught`
  say({ lane: 'dying', culprit: task?.id, why })
  await reportFatal({ report, log }, `The ${isMainThread ? 'process' : 'thread'} of a task ends because ${why}`, error)
  // what was said goes out first
  setImmediate(() => process.exit(1))
}

function say(message: FromLane, then?: () => void): void {
  if (isMainThread) process.send?.(message, undefined, undefined, then)
  else {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
    parentPort?.postMessage(message)
    if (then !== undefined) setImmediate(then)
  }
}
