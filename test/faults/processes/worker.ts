// A worker in a process of its own, as a process manager would run it. Its argument: the options of runWorker(), as JSON.
import { runWorker, type RunWorkerOptions } from 'errand/worker'
import { leaveWithSuite } from './leave-with-suite.js'
import { makeMortal } from './mortal-steps.js'
import type { WorkerNews } from './orders.js'
import { tellUsage } from './usage.js'

const letGo = leaveWithSuite()
makeMortal()
// written by the suite
const worker = await runWorker(JSON.parse(process.argv[2] ?? '{}') as RunWorkerOptions)
process.once('SIGTERM', () => void worker.stop())
process.send?.({ is: 'consuming' } satisfies WorkerNews)
const quiet = tellUsage()
process.exitCode = await worker.stopped
quiet()
letGo()
