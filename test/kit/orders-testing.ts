import { orders } from 'errand'
import { ordersHandler, type OrdersOptions } from 'errand/orders'
import { startTesting, type Testing } from 'errand/testing'
import { forgetHandlers } from '#src/orders/handlers.js'
import { OrdersClient } from './orders-client.js'
import type { Scope } from './temporary.js'

export interface OrdersTesting {
  readonly testing: Testing
  readonly client: OrdersClient
}

/** Orders in this process, over real messages and a store in memory; `register` says which there are. */
export async function testOrders(
  scope: Scope,
  register: () => void,
  { mode = 'run', retries = 0, ...options }: OrdersOptions & { readonly mode?: 'run' | 'capture'; readonly retries?: number } = {},
): Promise<OrdersTesting> {
  const testing = await startTesting({ mode, retries })
  scope.defer(() => testing.stop())
  scope.defer(forgetHandlers)
  scope.defer(() => (orders.useTaskQueue = true))
  register()
  return { testing, client: new OrdersClient(ordersHandler(options)) }
}
