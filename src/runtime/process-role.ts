import { processState } from '../core/process-state.js'

const role = processState('role', () => ({ isWorker: false }))

/** Whether this process runs tasks; `start()` does nothing in such a process. */
export const isWorkerProcess = (): boolean => role.isWorker

/** Says that this process runs tasks; called before any service module is loaded. */
export function markWorkerProcess(): void {
  role.isWorker = true
}
