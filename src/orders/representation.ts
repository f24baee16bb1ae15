import type { Order } from './order.js'
import { absoluteResourceUrl } from './what-is-told.js'

/** An order as it is shown to whoever reached this service at `origin`: the six members of older systems, in their order, and what came after them. */
export function representationOf(order: Order, origin: string): Readonly<Record<string, unknown>> {
  const { uuid, status, message, context, progress, name, action, createdAt, updatedAt, endedAt } = order
  return {
    uuid,
    status,
    message,
    resource_url: absoluteResourceUrl(order.resourceUrl, origin),
    context,
    progress,
    name,
    action,
    created: new Date(createdAt).toISOString(),
    updated: new Date(updatedAt).toISOString(),
    ...(endedAt === undefined ? {} : { ended: new Date(endedAt).toISOString() }),
  }
}
