import { processState } from '../../core/process-state.js'
import type { Recorded } from '../../store/store.js'

const listeners = processState('report-stored', () => ({ listen: undefined as ((id: string) => void) | undefined }))

/** `listen` is called after each report of a task that was stored, within the flow of its body. It must not throw. */
export function onReportStored(listen: (id: string) => void): void {
  listeners.listen = listen
}

/** Tells that a report was written down, if it was. */
export function reportStored(id: string, recorded: readonly Recorded[] | undefined): void {
  if (recorded?.[0]?.applied === true) listeners.listen?.(id)
}
