import type { Context } from '../../core/context.js'
import type { FollowUp } from '../../core/follow-up.js'
import { registry } from '../../core/registry.js'
import type { Announced } from '../../store/store.js'
import type { Runtime } from '../runtime.js'
import { announcementOf } from '../tracking/announcement.js'
import { NOT_SENT, type Tracking } from '../tracking/tracking.js'

/** The call before a follow-up. */
export interface CallBefore {
  readonly id: string
  readonly context: Context | undefined
  readonly sentAt: number
}

interface CallToWaitFor extends CallBefore {
  readonly delayMs: number
  /** When the first of them was called, with which the others were. @defaultValue `sentAt` */
  readonly calledAt?: number | undefined
}

/** What is made known, when a call is made, of the calls that follow its completion: they wait, and can be cancelled. */
export function announcementsOf(runtime: Runtime, tracking: Tracking, before: CallToWaitFor, next: readonly FollowUp[]): readonly Announced[] {
  return next.flatMap((followUp) => {
    if (followUp.on !== 'completed' || followUp.group !== undefined) return []
    const { id, options } = followUp
    const { context, calledAt = before.sentAt } = before
    // it can wait for as long as everything before it, and then again; when it is due nobody knows yet
    const sentAt = before.sentAt + before.delayMs + runtime.settings.expiresMs
    const later = announcementsOf(runtime, tracking, { id, context, sentAt, delayMs: options.delayMs, calledAt }, followUp.next)
    if (!isTracked(followUp)) return later
    const known = announcementOfFollowUp(runtime, tracking, { ...before, sentAt }, followUp)
    return [{ ...known, createdAt: calledAt, dueAt: undefined, sendingUntil: NOT_SENT }, ...later]
  })
}

/** What is made known of a follow-up. It belongs to the call that it follows, unless it follows any end of that, also a cancellation, or others as well. */
export function announcementOfFollowUp({ settings }: Runtime, tracking: Tracking, before: CallBefore, followUp: FollowUp): Announced {
  const { id, task, options, on, group } = followUp
  const { sentAt, context } = before
  const expiresAt = settings.expiresMs === 0 ? undefined : sentAt + options.delayMs + settings.expiresMs
  const isReadOnce = registry.find(task)?.declaration.options.resultOnce === true
  return announcementOf({ id, task, context, isReadOnce, options, sentAt, expiresAt, parentId: on === 'ended' || group !== undefined ? undefined : before.id }, tracking.keepFailedMs)
}

/** Whether it is kept how a follow-up stands; of a task that this process does not know it is. */
export const isTracked = ({ task }: FollowUp): boolean => registry.find(task)?.declaration.options.track !== false
