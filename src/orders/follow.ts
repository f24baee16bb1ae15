import { appState } from '../runtime/app.js'
import { onReportStored } from '../runtime/tracking/report-stored.js'
import { orderOfFlow } from './current-order.js'
import { handlersOf } from './handlers.js'
import { sendBeside } from './place.js'

/** Lets the handlers of `updated` be called for reports of orders that run in this process. */
export function callUpdated(): void {
  onReportStored((uuid) => void updated(uuid))
}

/** Never rejects: a handler that cannot be called is logged. */
async function updated(uuid: string): Promise<void> {
  const memo = orderOfFlow()
  const state = appState()
  if (memo === undefined || state.kind !== 'on' || state.runtime.tracking === undefined) return
  const app = { runtime: state.runtime, tracking: state.runtime.tracking }
  try {
    for (const handler of handlersOf('updated', memo.name, memo.action)) await sendBeside({ app, uuid, memo }, handler)
  } catch (error) {
    app.runtime.log.error(`The handlers of "updated" could not be called for the order ${uuid}: ${error instanceof Error ? error.message : 'unknown'}`)
  }
}
