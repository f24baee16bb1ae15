// A worker in a process of its own, as a process manager would run it. Its argument: the options of runWorker(), as JSON.
import { runWorker, type RunWorkerOptions } from 'errand/worker'
import { ErrandError } from 'errand'
import { NO_BROKER, type WorkerNews } from './orders.js'

// written by the suite
const worker = await runWorker(JSON.parse(process.argv[2] ?? '{}') as RunWorkerOptions).catch(leaveWithoutBroker)
process.once('SIGTERM', () => void worker.stop())
process.send?.({ is: 'consuming' } satisfies WorkerNews)
process.exitCode = await worker.stopped
if (process.connected) process.disconnect()

/** A worker that cannot start is a matter for its process manager, which tries again. */
function leaveWithoutBroker(error: unknown): never {
  if (error instanceof ErrandError && error.code === 'BROKER_UNREACHABLE') process.exit(NO_BROKER)
  throw error
}
