import { refuseUnknownKeys, show } from '../core/options.js'
import type { Duration } from '../core/duration.js'
import type { OrderAction } from '../core/order-option.js'
import { ErrandError } from '../errors.js'
import { cancelTask, type CancelOptions } from '../runtime/cancellation/cancel.js'
import { ordersApp } from './app.js'
import { fingerprintOf } from './fingerprint.js'
import { registerHandler, type OrderTask, type RegisterOptions } from './handlers.js'
import { listOrders, type OrderPage, type OrderSearch } from './list.js'
import { orderToken } from './links.js'
import type { Order } from './order.js'
import { findOrder, placeOrder, type Placed, type Placement } from './place.js'
import { isRunHere, setRunHere } from './run-here.js'

/** What `orders.place()` takes. */
export type PlaceOptions = Partial<Pick<Placement, 'action' | 'context' | 'key'>>

/** Work that clients place and follow by addresses: each order is one task. */
export interface Orders {
  /**
   * Calls `task` with `(uuid, context)` for the orders of a name: when one is placed (`queued`), when it told of its progress
   * (`updated`), or has `completed` or `failed`, each time after that was stored. Several handlers are called in their order, and one that
   * fails hides no other. The first one of `queued` carries the order out, and its state is that of the order; every other handler is a
   * task of its own. Handlers belong into a module that server and worker load.
   * @throws ErrandError `OPTION_INVALID` for an unknown signal, action or option, `NOT_A_TASK`
   */
  register(name: string, task: OrderTask, options?: RegisterOptions): void
  /** {@link register} for the action `create`. */
  registerCreate(name: string, task: OrderTask, options?: Omit<RegisterOptions, 'action'>): void
  /** {@link register} for the action `update`. */
  registerUpdate(name: string, task: OrderTask, options?: Omit<RegisterOptions, 'action'>): void
  /** {@link register} for the action `destroy`. */
  registerDestroy(name: string, task: OrderTask, options?: Omit<RegisterOptions, 'action'>): void
  /**
   * Whether handlers are sent to workers. `false`, for tests: they run in the process that places the order, as the worker would run them,
   * before `place()` resolves and the client is answered; those of `updated` are not waited for. @defaultValue true
   */
  useTaskQueue: boolean
  /**
   * Places an order as the user of the current context, without asking `validate`: that is for clients. Resolves once it would survive a crash.
   * @throws ErrandError `OPTION_INVALID` where nothing handles such orders, for a context that is no object and for unknown options, `CALL_INVALID` where nothing is queued or kept,
   * `STORE_UNREACHABLE`, and what a call fails with; there is no order then
   */
  place(name: string, options?: PlaceOptions): Promise<{ readonly uuid: string; readonly isNew: boolean }>
  /** An order by its id, whoever placed it; `undefined` where there is none, or not any more. @throws ErrandError `STORE_UNREACHABLE`, `CALL_INVALID` */
  get(uuid: string): Promise<Order | undefined>
  /** Orders of one owner. @throws ErrandError `OPTION_INVALID`, `STORE_UNREACHABLE`, `CALL_INVALID` */
  list(search: OrderSearch): Promise<OrderPage>
  /** Cancels an order and the tasks that it called, see `tasks.cancel()`; answers whether that changed anything. @throws as {@link get} */
  cancel(uuid: string, options?: CancelOptions): Promise<boolean>
  /**
   * The address at which whoever has it may follow and cancel an order until it expires, also without being signed in.
   * @throws ErrandError `OPTION_INVALID`, `KEY_MISSING`, `CALL_INVALID`
   */
  signedLink(uuid: string, options?: SignedLinkOptions): Promise<string>
}

export interface SignedLinkOptions {
  /** Seconds, or a text such as `'1h'`. @defaultValue '7d' */
  readonly expires?: Duration | undefined
  /** Where the orders are mounted, with or without a host before it. @defaultValue '/async' */
  readonly mount?: string | undefined
}

const withAction = (action: OrderAction) => (name: string, task: OrderTask, options?: Omit<RegisterOptions, 'action'>) => registerHandler(name, task, { ...options, action })

export const orders: Orders = {
  register: registerHandler,
  registerCreate: withAction('create'),
  registerUpdate: withAction('update'),
  registerDestroy: withAction('destroy'),
  get useTaskQueue() {
    return !isRunHere()
  },
  set useTaskQueue(isUsed) {
    if (typeof isUsed !== 'boolean') throw new ErrandError('OPTION_INVALID', `orders.useTaskQueue must be true or false, got ${show(isUsed)}.`)
    setRunHere(!isUsed)
  },
  async place(name, options = {}) {
    refuseUnknownKeys('orders.place()', options, ['action', 'context', 'key'])
    const { action = 'create', context = {}, key } = options
    if (typeof context !== 'object' || context === null || Array.isArray(context)) {
      throw new ErrandError('OPTION_INVALID', `orders.place() takes an object for JSON as "context", got ${context === null ? 'null' : Array.isArray(context) ? 'a list' : `a ${typeof context}`}.`)
    }
    const placed: Placed = await placeOrder({ name, action, context, key, fingerprint: key === undefined ? undefined : fingerprintOf(context) })
    if (placed.kind === 'placed') return { uuid: placed.uuid, isNew: placed.isNew }
    throw new ErrandError('CALL_INVALID', `Cannot place an order "${name}": its key stands for an order that asks for something else. Use a key for one thing only.`)
  },
  get: findOrder,
  list: listOrders,
  async cancel(uuid, options) {
    if ((await findOrder(uuid)) === undefined) return false
    const { tracking } = await ordersApp()
    return (await cancelTask(tracking, uuid, options)).isCancelled
  },
  async signedLink(uuid, { expires = '7d', mount = '/async' } = {}) {
    return `${mount}/orders/${uuid}?token=${orderToken((await ordersApp()).runtime, uuid, expires)}`
  },
}
