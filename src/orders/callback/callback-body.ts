import { hasEnded, orderOf } from '../order.js'
import type { OrdersApp } from '../app.js'
import { CallbackFailure } from './callback-failure.js'
import { representationOf } from '../representation.js'

/** The order that a callback tells of. */
export interface CallbackOrder {
  readonly uuid: string
  /** Where the client reached this service; a resource without a host of its own is there. */
  readonly origin: string
}

/**
 * JSON text of the order as its client would see it now.
 * @throws ErrandError `CALLBACK_FAILED` where nothing is known of it any more, `STORE_UNREACHABLE`
 */
export async function bodyOf({ tracking }: OrdersApp, { uuid, origin }: CallbackOrder): Promise<string> {
  const record = await tracking.store.find({ id: uuid })
  const order = record === undefined ? undefined : orderOf(record)
  if (order !== undefined && hasEnded(order)) return JSON.stringify(representationOf(order, origin))
  const why = order === undefined ? 'nothing is known of it any more. Keep orders for longer than callbacks are repeated (keepCompleted, keepFailed)' : 'its end is not written down yet'
  throw new CallbackFailure(`The callback of order ${uuid} cannot be sent: ${why}.`, { isPassing: order !== undefined })
}
