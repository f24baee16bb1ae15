import { ErrandError } from '../errors.js'
import { settledAppState } from '../runtime/app.js'
import type { Runtime } from '../runtime/runtime.js'
import type { Tracking } from '../runtime/tracking/tracking.js'

/** What orders need of the process. */
export interface OrdersApp {
  readonly runtime: Runtime
  readonly tracking: Tracking
}

/** @throws ErrandError `CALL_INVALID`, `BROKER_CLOSED`, and what the start fails with */
export async function ordersApp(): Promise<OrdersApp> {
  const state = await settledAppState()
  if (state.kind === 'stopped') throw new ErrandError('BROKER_CLOSED', 'Cannot place or follow orders: errand was stopped in this process. Call start() again before.')
  if (state.kind !== 'on') {
    throw new ErrandError('CALL_INVALID', 'Cannot place or follow orders: nothing is queued here ("withAsync: false", or no configuration). Set "withAsync: true" and call start(), or startTesting() in tests.')
  }
  const { runtime } = state
  if (runtime.tracking !== undefined) return { runtime, tracking: runtime.tracking }
  throw new ErrandError('CALL_INVALID', 'Cannot place or follow orders: "store: off" keeps nothing of them. Configure "store: sqlite" or a PostgreSQL URL.')
}
