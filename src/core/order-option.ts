import { ErrandError } from '../errors.js'
import { refuseUnknownKeys, show } from './options.js'

/** What an order asks for: that something is made, changed, or removed. */
export type OrderAction = 'create' | 'update' | 'destroy'

export const ORDER_ACTIONS: readonly OrderAction[] = ['create', 'update', 'destroy']

/** What orders a task carries out. */
export interface OrderOption {
  /** The word in the address of the orders: 1 to 100 of letters, digits, `-`, `_` and `.`, not `orders`. */
  readonly name: string
  /** @defaultValue 'create' */
  readonly action?: OrderAction | undefined
}

/** {@link OrderOption} with every default filled in. */
export interface ResolvedOrderOption {
  readonly name: string
  readonly action: OrderAction
}

const NAME = /^[A-Za-z0-9_-][A-Za-z0-9_.-]{0,99}$/
/** Stands for the list of orders. */
const TAKEN = 'orders'

/** @throws ErrandError `OPTION_INVALID` */
export function resolveOrderOption(given: unknown, where: string): ResolvedOrderOption {
  const { name, action = 'create' } = typeof given === 'string' ? { name: given } : fieldsOf(given, where)
  return Object.freeze({ name: orderName(name, where), action: orderAction(action, where) })
}

/** @throws ErrandError `OPTION_INVALID` */
export function orderName(given: unknown, where: string): string {
  if (isOrderName(given)) return given
  throw new ErrandError('OPTION_INVALID', `${where}: the name of orders must be 1 to 100 letters, digits, "-", "_" and ".", and not "${TAKEN}", got ${show(given)}.`)
}

/** @throws ErrandError `OPTION_INVALID` */
export function orderAction(given: unknown, where: string): OrderAction {
  const action = ORDER_ACTIONS.find((known) => known === given)
  if (action !== undefined) return action
  throw new ErrandError('OPTION_INVALID', `${where}: the action of orders must be 'create', 'update' or 'destroy', got ${show(given)}.`)
}

/** Whether orders can have this name. */
export const isOrderName = (given: unknown): given is string => typeof given === 'string' && NAME.test(given) && given !== TAKEN

function fieldsOf(given: unknown, where: string): { readonly name?: unknown; readonly action?: unknown } {
  if (typeof given !== 'object' || given === null) {
    throw new ErrandError('OPTION_INVALID', `${where}: what it is ordered by must be a name, or { name, action }, got ${show(given)}.`)
  }
  refuseUnknownKeys(where, given, ['name', 'action'])
  return given
}
