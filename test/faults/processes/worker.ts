// A worker in a process of its own, as a process manager would run it. Its argument: the options of runWorker(), as JSON.
import { runWorker, type RunWorkerOptions } from 'errand/worker'
import { leaveWithSuite } from './leave-with-suite.js'
import type { WorkerNews } from './orders.js'

const letGo = leaveWithSuite()
// written by the suite
const worker = await runWorker(JSON.parse(process.argv[2] ?? '{}') as RunWorkerOptions)
process.once('SIGTERM', () => void worker.stop())
process.send?.({ is: 'consuming' } satisfies WorkerNews)
process.exitCode = await worker.stopped
letGo()
