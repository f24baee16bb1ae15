import type { Scope } from '../../core/context.js'
import type { FollowUp } from '../../core/follow-up.js'
import type { Task } from '../../core/task.js'
import { ErrandError } from '../../errors.js'
import type { Announcement } from '../../store/store.js'
import { placeCall, type Placement } from '../call.js'
import { cancelTask } from '../cancellation/cancel.js'
import { resultTimeoutOf, sendWithHandle } from '../dispatch.js'
import type { TaskHandle } from '../handle.js'
import type { Runtime } from '../runtime.js'
import type { Follower, TaskCall } from '../task-call.js'
import { announcementOf } from '../tracking/announcement.js'
import { recordedError } from '../tracking/recorded-error.js'
import { NOT_SENT, type Tracking } from '../tracking/tracking.js'
import { followUpsOf } from './follower.js'
import { runGroupInline, type HeldMember, type SentGroup } from './run-group-inline.js'
import { expectOutcomes } from './send-held.js'

/** Sends the members of a group, each with what follows all of them. */
export async function sendGroup(members: readonly HeldMember[], scope: Scope | undefined, follower: Follower): Promise<SentGroup> {
  // what its caller changes while one is placed is not seen by the others
  const placements = await Promise.all(members.map(async ({ call }) => placeCall(call, scope)))
  const placed = members.flatMap((member, index) => placedMember(member, placements[index]))
  const [first] = placed
  if (first === undefined) return runGroupInline(members, follower)
  const { runtime, replies } = first.on
  const tracking = trackingOf(runtime, [...members.map(({ call }) => call.task), follower.call.task])
  const waitMs = Math.max(...members.map(({ call }) => resultTimeoutOf(runtime, call.task) + optionsOf(call).delayMs))
  const expected = await expectOutcomes(runtime, replies, { steps: [follower], waitMs })
  try {
    const isKnown = first.encoded.within === undefined
    const next = followUpsOf([follower], () => replies.address, { size: members.length, isKnown })
    if (isKnown) await tracking.store.record(announcements(runtime, tracking, { placed, follower }).map((call) => ({ kind: 'announced', ...call })))
    const handles = await sendMembers(tracking, placed, { next, id: follower.id, isKnown })
    const [followUp] = expected.handles as [TaskHandle<unknown>] // of the one that was expected
    return { followUp, members: handles }
  } catch (error) {
    expected.forget()
    throw error
  }
}

type Placed = HeldMember & Extract<Placement, { readonly kind: 'send' }>

const placedMember = (member: HeldMember, placement: Placement | undefined): readonly Placed[] => (placement?.kind === 'send' ? [{ ...member, ...placement }] : [])

const optionsOf = (call: TaskCall) => call.options ?? call.task.declaration.options

/** @throws ErrandError `CALL_INVALID` where it could not be told when all have completed */
function trackingOf({ tracking }: Runtime, tasks: readonly Task[]): Tracking {
  if (tracking === undefined) throw refused('"store: off" keeps nothing of how tasks stand. Configure "store: sqlite" or a PostgreSQL URL')
  for (const { name, declaration } of tasks) {
    if (!declaration.options.track) throw refused(`the option "track: false" of ${name} keeps nothing of how it stands. Leave that away`)
    if (declaration.options.resultOnce) throw refused(`the option "resultOnce" of ${name} lets its result be read once. Leave that away`)
  }
  return tracking
}

const refused = (why: string): ErrandError => new ErrandError('CALL_INVALID', `all() cannot tell when all members have completed: ${why}.`)

/** What is made known of a group before any member of it can complete: they belong to the follow-up, which cancels them with itself. */
function announcements(runtime: Runtime, tracking: Tracking, { placed, follower }: { placed: readonly Placed[]; follower: Follower }): readonly Announcement[] {
  const { settings, clock } = runtime
  const sentAt = clock.now()
  const told = (id: string, call: TaskCall, parentId: string | undefined): Announcement => {
    const options = optionsOf(call)
    const expiresAt = settings.expiresMs === 0 ? undefined : sentAt + options.delayMs + settings.expiresMs
    const context = placed[0]?.encoded.context
    return announcementOf({ id, task: call.task.name, context, isReadOnce: false, options, sentAt, expiresAt, parentId }, tracking.keepFailedMs)
  }
  const members = placed.map(({ id, call }) => told(id, call, follower.id))
  const longestMs = Math.max(...members.map(({ expiresAt }) => expiresAt ?? 0))
  const followUp = told(follower.id, follower.call, undefined)
  const { expiresAt } = followUp
  // it waits for all of them, and then again
  return [{ ...followUp, dueAt: undefined, sendingUntil: NOT_SENT, expiresAt: expiresAt === undefined ? undefined : expiresAt + longestMs - sentAt }, ...members]
}

interface Followed {
  readonly next: readonly FollowUp[]
  readonly id: string
  readonly isKnown: boolean
}

/** @throws what sending one of them failed with; then the others are cancelled */
async function sendMembers(tracking: Tracking, placed: readonly Placed[], { next, id, isKnown }: Followed): Promise<readonly TaskHandle<unknown>[]> {
  const sending = placed.map(({ on, call, encoded, id: member }) =>
    sendWithHandle(on.runtime, on.replies, call.task, { ...encoded, id: member, options: optionsOf(call), isKnown, next: [...followUpsOf(call.followers ?? []), ...next] }),
  )
  const settled = await Promise.allSettled(sending)
  const failure = settled.find((sent) => sent.status === 'rejected')
  if (failure === undefined) return settled.flatMap((sent) => (sent.status === 'fulfilled' ? [sent.value] : []))
  const reason: unknown = failure.reason
  if (isKnown) {
    await cancelTask(tracking, id, { reason: 'another member of the group could not be sent' }).catch(() => {})
    await tracking.refused(id, recordedError(reason))
  }
  throw reason
}
