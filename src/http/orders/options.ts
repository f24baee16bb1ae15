import type { Context } from '../../core/context.js'
import { toMs, type Duration } from '../../core/duration.js'
import { refuseUnknownKeys, show, withoutUndefined } from '../../core/options.js'
import { ErrandError } from '../../errors.js'

/** What `orders()` takes, the same in every framework. */
export interface OrdersOptions {
  /** Who may see, list and cancel the orders of everybody. @defaultValue nobody */
  readonly isAdmin?: ((context: Context) => boolean | Promise<boolean>) | undefined
  /**
   * What becomes of an order placed by nobody, that is without a user who has an `id`. `link`: whoever has the signed address, which only
   * the placement answers, may follow and cancel it. `refuse`: 403. @defaultValue 'link'
   */
  readonly anonymous?: 'link' | 'refuse' | undefined
  /** How long such an address holds: seconds, or a text such as `'7d'`. @defaultValue '7d' */
  readonly linkExpires?: Duration | undefined
  /** Origins beside the own one whose pages may place and cancel orders, such as `https://shop.example`. @defaultValue none */
  readonly allowedOrigins?: readonly string[] | undefined
  /** Bytes of a body, at most; up to 65,536, of which 64 KiB of context can be kept. @defaultValue 65,536 */
  readonly bodyLimit?: number | undefined
  /** The longest that a request is kept waiting by `Prefer: wait`. @defaultValue '30s' */
  readonly longestWait?: Duration | undefined
  /** What `Retry-After` says while an order has not ended, in whole seconds. @defaultValue 1 */
  readonly retryAfter?: Duration | undefined
  /** A completed order with a resource leads there by 303, also without `Prefer: redirect`. @defaultValue false */
  readonly redirect?: boolean | undefined
}

/** {@link OrdersOptions} with every default filled in, frozen. */
export interface ResolvedOrdersOptions {
  /** Only what is exactly true counts: a rule that answers something else by mistake opens nothing. */
  readonly isAdmin: (context: Context) => Promise<boolean>
  readonly anonymous: 'link' | 'refuse'
  readonly linkExpires: Duration
  readonly allowedOrigins: readonly string[]
  readonly bodyLimit: number
  readonly longestWaitMs: number
  readonly retryAfterSeconds: number
  readonly redirect: boolean
}

const HIGHEST_LIMIT = 65_536

const DEFAULTS = {
  isAdmin: (): boolean => false,
  anonymous: 'link',
  linkExpires: '7d',
  allowedOrigins: [],
  bodyLimit: HIGHEST_LIMIT,
  longestWait: '30s',
  retryAfter: 1,
  redirect: false,
} as const satisfies OrdersOptions

/** @throws ErrandError `OPTION_INVALID` */
export function resolveOrdersOptions(given: OrdersOptions): ResolvedOrdersOptions {
  refuseUnknownKeys('orders()', given, Object.keys(DEFAULTS))
  const { isAdmin, anonymous, linkExpires, allowedOrigins, bodyLimit, longestWait, retryAfter, redirect } = { ...DEFAULTS, ...withoutUndefined(given) }
  if (typeof isAdmin !== 'function') throw refused('isAdmin', 'a function of the context', isAdmin)
  if (anonymous !== 'link' && anonymous !== 'refuse') throw refused('anonymous', `'link' or 'refuse'`, anonymous)
  if (!isListOfOrigins(allowedOrigins)) {
    throw refused('allowedOrigins', `a list of origins such as 'https://shop.example', without a path`, allowedOrigins)
  }
  if (!Number.isInteger(bodyLimit) || bodyLimit < 1 || bodyLimit > HIGHEST_LIMIT) throw refused('bodyLimit', `bytes from 1 to ${HIGHEST_LIMIT}`, bodyLimit)
  if (typeof redirect !== 'boolean') throw refused('redirect', 'true or false', redirect)
  toMs(linkExpires, 'orders() linkExpires')
  return Object.freeze({
    isAdmin: async (context: Context) => isTrue(await isAdmin(context)),
    anonymous,
    linkExpires,
    allowedOrigins: Object.freeze([...allowedOrigins]),
    bodyLimit,
    longestWaitMs: toMs(longestWait, 'orders() longestWait'),
    retryAfterSeconds: Math.max(1, Math.ceil(toMs(retryAfter, 'orders() retryAfter') / 1_000)),
    redirect,
  })
}

const isTrue = (given: unknown): boolean => given === true

const isListOfOrigins = (given: unknown): given is readonly string[] => Array.isArray(given) && given.every(isOrigin)

const isOrigin = (given: unknown): boolean => typeof given === 'string' && URL.canParse(given) && new URL(given).origin === given

const refused = (option: string, wanted: string, got: unknown): ErrandError =>
  new ErrandError('OPTION_INVALID', `orders() ${option} must be ${wanted}, got ${show(got)}.`)
