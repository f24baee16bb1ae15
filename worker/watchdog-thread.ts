/** The thread of `watchdog.ts`. It imports nothing else, so that it stays small. */
import { workerData } from 'node:worker_threads'
import type { WatchdogOrders } from './watchdog.js'

const { parent, limitMs, everyMs } = workerData as WatchdogOrders // written by watchdog.ts
let seenAt = performance.now()

const watch = setInterval(() => {
  const now = performance.now()
  if (isThere()) {
    seenAt = now
    return
  }
  clearInterval(watch)
  setTimeout(() => process.kill(process.pid, 'SIGKILL'), limitMs - (now - seenAt))
}, everyMs)

/** A process whose parent died gets another one, except on Windows. */
function isThere(): boolean {
  if (process.platform !== 'win32') return process.ppid === parent
  try {
    return process.kill(parent, 0)
  } catch {
    return false
  }
}
