import { asyncTask, context } from 'errand'
import { deliver } from '../../postbox.js'

export interface Order {
  readonly item: string
  readonly count: number
}

export class OrderService {
  @asyncTask()
  async confirm(order: Order): Promise<void> {
    const { user, headers } = context()
    await deliver(user?.name ?? 'guest', `${order.count} x ${order.item}, branch ${headers['x-branch']}`)
  }

  /** A task with a value: the call waits for the worker. */
  @asyncTask({ result: true })
  async echo(): Promise<unknown> {
    return context().body
  }
}

export const orders = new OrderService()
