/** The worker process that a server spawns. Everything it needs comes over the IPC channel. */
import { currentScope } from '../src/core/context.js'
import { silentLogger, type Logger } from '../src/core/logger.js'
import type { ErrorReporter } from '../src/core/report.js'
import { ErrandError } from '../src/errors.js'
import { EXIT, readToWorker, type FromWorker, type WorkerInstructions } from './supervisor/protocol.js'
import { reportFatal } from './prepared.js'
import { openWorker, type OpenWorker } from './running-worker.js'
import { watchParent } from './watchdog.js'
import { workerLog } from './worker-log.js'

/** With its server gone, a worker is gone within 5 s: it may drain for this long, and the rest is for aborting and closing. */
const ORPHAN_GRACE_MS = 2_700
/** When closing hangs, it exits at this age as an orphan; when it cannot even do that, it is killed. A busy machine does either late. */
const ORPHAN_LIFE_MS = 3_500
const ORPHAN_KILL_MS = 4_000
/** Terminals and process managers may both send a signal for one stop. */
const SAME_SIGNAL_MS = 300
const LAST_REPORT_MS = 2_000

/** Read before the first word: a server that answers it was alive then. */
const server = process.ppid
let log: Logger = silentLogger
let report: ErrorReporter = () => {}
let graceMs = 0
let running: OpenWorker | undefined
let worker: Promise<OpenWorker> | undefined
let stopAskedAt: number | undefined
let isDying = false

process.stdout.on('error', () => {}) // who read it is gone; the stop comes by the channel
process.stderr.on('error', () => {})
process.on('message', (message) => {
  const said = readToWorker(message)
  if (said?.errand === 'run' && worker === undefined) void run(said)
  if (said?.errand === 'stop') stop(graceMs)
})
process.on('disconnect', () => {
  setTimeout(() => process.exit(EXIT.failed), ORPHAN_LIFE_MS).unref()
  stop(Math.min(graceMs, ORPHAN_GRACE_MS))
})
process.on('SIGTERM', onSignal)
process.on('SIGINT', onSignal)
process.on('uncaughtException', (error) => void die(error))
process.on('unhandledRejection', (error) => void die(error))
// the server may have gone before anything here could hear of it
if (!process.connected) process.exit(EXIT.stopped)
say({ errand: 'hello' })

async function run(instructions: WorkerInstructions): Promise<void> {
  const { config } = instructions
  graceMs = config.worker.graceMs
  log = workerLog(config.worker.logLevel, (line) => process.stdout.write(line))
  // first of all: modules may block while they load
  watchParent({ parent: server, limitMs: ORPHAN_KILL_MS, onFailure: onNoWatch })
  worker = openWorker({
    ...instructions,
    log,
    guardPorts: config.worker.listen ? 'never' : 'always',
    callsWhileLoading: 'withheld',
    onReporter: useReporter,
    onFirstEnd: () => say({ errand: 'useful' }),
  })
  try {
    running = await worker
    say({ errand: 'ready' })
    process.exit(await running.stopped)
  } catch (error) {
    // openWorker has told people why
    if (!(error instanceof ErrandError) || error.code !== 'SERVICE_LOAD_FAILED') process.exit(EXIT.failed)
    say({ errand: 'unloadable', why: error.message }, () => process.exit(EXIT.failed))
  }
}

function onNoWatch(error: unknown): void {
  const why = error instanceof Error ? error.message : 'unknown reason'
  log.warn(`Should its server die while a task blocks this worker, nothing ends it: the thread that watches failed (${why}).`)
}

function useReporter(loaded: ErrorReporter): void {
  report = loaded
}

function onSignal(): void {
  const now = Date.now()
  if (stopAskedAt !== undefined && now - stopAskedAt > SAME_SIGNAL_MS) process.exit(EXIT.failed)
  if (stopAskedAt === undefined) say({ errand: 'leaving' })
  stopAskedAt ??= now
  stop(graceMs)
}

/** Stops within `ms`. A worker that is still loading has nothing to end. */
function stop(ms: number): void {
  if (running === undefined) process.exit(EXIT.stopped)
  void running.stop({ graceMs: ms })
}

/**
 * An error came through that nothing caught: nobody knows what is broken now, so the process goes, and what ran is run again
 * elsewhere. The task that left the error behind counts a crash, its neighbours do not.
 */
async function die(error: unknown): Promise<void> {
  if (isDying) return
  isDying = true
  const task = currentScope()?.task
  setTimeout(() => process.exit(EXIT.failed), LAST_REPORT_MS)
  const whose = task === undefined ? 'code outside of its tasks' : `${task.name} (id ${task.id})`
  const reporting = reportFatal({ report, log }, `The worker ends because ${whose} left an error that nothing caught`, error)
  await running?.abandon(task?.id, error)
  await reporting
  process.exit(EXIT.failed)
}

function say(message: FromWorker, then: () => void = () => {}): void {
  process.send?.(message, undefined, undefined, then) // a server that is gone shows by 'disconnect'
}
