import { currentScope, type Context } from '../../core/context.js'
import type { Announced } from '../../store/store.js'
import { userId } from '../failures.js'

/** Characters of a name that the store keeps; what is longer is cut, for no call may fail by it. */
const LONGEST_NAME = 200

/** A call on its way to the broker. */
export interface LeavingCall {
  readonly id: string
  readonly task: string
  readonly context: Context | undefined
  /** Its result can be read once. */
  readonly isReadOnce: boolean
  readonly options: { readonly queue: string; readonly delayMs: number; readonly tags: readonly string[] }
  readonly sentAt: number
  readonly expiresAt: number | undefined
  /** What is to be found with it. */
  readonly memo?: string | undefined
  /** The task it belongs to. @defaultValue the one that makes the call */
  readonly parentId?: string | undefined
}

/** What is made known of a call. Its message may wait until `expiresAt`, and how that ended is kept as long as a failure. */
export function announcementOf({ id, task, context, isReadOnce, options, sentAt, expiresAt, memo, parentId = currentScope()?.task?.id }: LeavingCall, keepFailedMs: number): Announced {
  const { queue, delayMs, tags } = options
  return {
    kind: 'announced',
    id,
    task,
    queue,
    createdAt: sentAt,
    tags,
    owner: userId(context) || undefined,
    tenant: tenantOf(context),
    isReadOnce: isReadOnce ? true : undefined,
    parentId,
    memo,
    dueAt: delayMs === 0 ? undefined : sentAt + delayMs,
    expiresAt: expiresAt === undefined ? undefined : expiresAt + keepFailedMs,
  }
}

/** The `tenant` that an application declared in its context. */
export function tenantOf(context: Context | undefined): string | undefined {
  const tenant: unknown = context === undefined ? undefined : Reflect.get(context, 'tenant')
  if (typeof tenant !== 'string' && typeof tenant !== 'number') return undefined
  const text = String(tenant).slice(0, LONGEST_NAME)
  return text === '' ? undefined : text
}
