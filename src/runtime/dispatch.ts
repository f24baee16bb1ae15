import { ErrandError } from '../errors.js'
import { captureCarriers } from '../core/carrier.js'
import { newTaskId } from '../core/clock.js'
import { encodeArguments } from '../core/codec/encode.js'
import type { Context, Scope } from '../core/context.js'
import type { FollowUp } from '../core/follow-up.js'
import { registry } from '../core/registry.js'
import type { Task } from '../core/task.js'
import type { ResolvedCallOptions } from '../core/task-options.js'
import type { OpenTransaction } from '../core/transaction.js'
import { announcementsOf } from './composition/announce.js'
import { emit, isHeard } from './events.js'
import { handOver, waitsForItself } from './hand-over.js'
import { createHandle, type TaskHandle } from './handle.js'
import { OutcomeBox } from './outcome-box.js'
import type { Replies } from './replies.js'
import type { Runtime } from './runtime.js'
import type { TaskCall } from './task-call.js'
import type { TaskRecord } from '../store/store.js'
import { joinable, joinedHandle, trackerForKey } from './keys/joined.js'
import { announcementOf, type LeavingCall } from './tracking/announcement.js'
import type { Sending } from './tracking/one-file.js'
import { sourceOf, sourceOfBox } from './tracking/source.js'
import type { OneFlight, Tracking } from './tracking/tracking.js'

/** Arguments and context of a call as they were at the moment of the call. */
export interface EncodedCall {
  readonly args: string
  readonly context: Context | undefined
  readonly carriers: Readonly<Record<string, unknown>> | undefined
  /** The transaction of the caller that has to commit first. */
  readonly within: OpenTransaction | undefined
}

/** @throws ErrandError `VALUE_UNSERIALIZABLE` naming the argument and the path in it */
export function encodeCall(call: TaskCall, scope: Scope | undefined): EncodedCall {
  registry.adoptParameterTypes()
  return {
    args: encodeArguments(call.args, `Cannot send ${call.task.name}`),
    context: scope?.context,
    carriers: captureCarriers(),
    within: scope?.within,
  }
}

/** Resolves once the message would survive a crash. */
export function sendAndForget(runtime: Runtime, task: Task, call: EncodedCall): Promise<unknown> {
  return publish(runtime, task, call, { id: newTaskId(), replyTo: undefined, options: task.declaration.options })
}

/** Sends a firing of a schedule under the id that every process would give it. Resolves once it would survive a crash. */
export async function sendFiring(runtime: Runtime, task: Task, call: EncodedCall, id: string): Promise<void> {
  // whoever claimed it has made it known
  await publish(runtime, task, call, { id, replyTo: undefined, options: task.declaration.options, isKnown: true })
}

/** Resolves with the value of the body after a worker ran it. */
export async function sendAndWait(runtime: Runtime, replies: Replies, task: Task, call: EncodedCall): Promise<unknown> {
  if (call.within !== undefined) throw waitsForItself(task.name)
  const { args, context, carriers } = call
  const handle = await sendWithHandle(runtime, replies, task, { args, context, carriers, within: undefined, options: task.declaration.options })
  return handle.result()
}

/** Resolves with a handle once the message would survive a crash. */
export async function sendWithHandle(
  runtime: Runtime,
  replies: Replies,
  task: Task,
  call: EncodedCall & SaidOfCall,
): Promise<TaskHandle<unknown>> {
  const { id = newTaskId() } = call
  const box = new OutcomeBox()
  const forget = await replies.expect(id, (outcome) => box.settle(outcome))
  try {
    const { options, isKnown, once, next, memo, parentId } = call
    const joined = await publish(runtime, task, call, { id, replyTo: replies.address, options, isKnown, once, next, memo, parentId })
    if (joined !== undefined) {
      forget()
      return joinedHandle(runtime, task, joined, resultTimeoutOf(runtime, task))
    }
  } catch (error) {
    forget()
    throw error
  }
  return handleOfSent(runtime, task, { id, box, timeoutMs: resultTimeoutOf(runtime, task) + call.options.delayMs })
}

/** How long the result of a task is waited for. */
export const resultTimeoutOf = ({ settings }: Runtime, { declaration }: Task): number => declaration.options.resultTimeoutMs ?? settings.resultTimeoutMs

/** The handle of a call whose outcome comes into `box`. */
export function handleOfSent({ tracking }: Runtime, task: Task, { id, box, timeoutMs }: { id: string; box: OutcomeBox; timeoutMs: number }): TaskHandle<unknown> {
  const source = tracking === undefined || !task.declaration.options.track ? sourceOfBox(id, task.name, box, 'unknown') : sourceOf(() => tracking, id)
  return createHandle({ id, task: task.name, box, source, isReadOnce: task.declaration.options.resultOnce, timeoutMs })
}

/** A call under an id that was chosen before, made by whoever keeps track of it. */
export type KnownCall = SaidOfCall & { readonly id: string }

/**
 * Sends a call under the id that was chosen for it. Resolves once it would survive a crash: with the record of the task that its key
 * stands for, where that is another one.
 */
export async function sendKnown(runtime: Runtime, task: Task, call: EncodedCall, known: KnownCall): Promise<TaskRecord | undefined> {
  return publish(runtime, task, call, { ...known, replyTo: undefined })
}

/** What is said of one call beside what it consists of. */
interface SaidOfCall {
  /** @defaultValue a new one */
  readonly id?: string | undefined
  readonly options: ResolvedCallOptions
  /** It is known by its id already. @defaultValue false */
  readonly isKnown?: boolean | undefined
  readonly once?: OneFlight | undefined
  /** Calls that follow it. @defaultValue none */
  readonly next?: readonly FollowUp[] | undefined
  /** What is to be found with it. */
  readonly memo?: string | undefined
  /** The task that it belongs to. @defaultValue the one that makes the call */
  readonly parentId?: string | undefined
}

interface Address extends SaidOfCall {
  readonly id: string
  readonly replyTo: string | undefined
}

/** Resolves with the task that the call joined instead, if it did. Throws what is wrong with the call itself. */
function publish(runtime: Runtime, task: Task, call: EncodedCall, address: Address): Promise<TaskRecord | undefined> {
  const { settings, messages, clock, tracking } = runtime
  const { id, replyTo, options, isKnown = false, once, next = [], memo, parentId } = address
  if (call.context === undefined && settings.outsideRequest === 'error') throw outsideRequest(task.name)
  const sentAt = clock.now()
  const expiresAt = settings.expiresMs === 0 ? undefined : sentAt + options.delayMs + settings.expiresMs
  const { args, context, carriers, within } = call
  const { queue, delayMs, priority } = options
  const body = messages.sealCall({ id, task: task.name, args, context, carriers, sentAt, expiresAt, replyTo, next })
  const message = { id, queue, body, delayMs, priority }
  const sending: Sending = { message, send: () => handOver(runtime, message, within) }
  const leaving = { id, task: task.name, context, isReadOnce: task.declaration.options.resultOnce, options, sentAt, expiresAt, memo, parentId }
  const stored =
    once === undefined
      ? store(runtime, task, { sending, leaving, within, isKnown, next })
      : storeOnce(trackerForKey(tracking, task, within), task, { once, sending, leaving })
  // what its transaction may still roll back is told to nobody
  if (within !== undefined || !isHeard('queued')) return stored
  return stored.then((joined) => {
    if (joined === undefined) emit(runtime.log, 'queued', { id, task: task.name, at: sentAt, queue, delayMs })
    return joined
  })
}

interface Leaving {
  readonly sending: Sending
  readonly leaving: LeavingCall
  readonly within: OpenTransaction | undefined
  readonly isKnown: boolean
  readonly next: readonly FollowUp[]
}

/** Resolves with nothing: the call joined no other. */
function store(runtime: Runtime, task: Task, { sending, leaving, within, isKnown, next }: Leaving): Promise<undefined> {
  const { tracking } = runtime
  // nor must it stand as queued
  const isAnnounced = within === undefined && !isKnown && task.declaration.options.track
  // a promise of nothing resolves with undefined, here and below
  if (tracking === undefined || !isAnnounced) return sending.send() as Promise<undefined>
  const following = next.length === 0 ? undefined : announcementsOf(runtime, tracking, { ...leaving, delayMs: leaving.options.delayMs }, next)
  return tracking.announce(announcementOf(leaving, tracking.keepFailedMs), sending, following) as Promise<undefined>
}

async function storeOnce(tracker: Tracking, task: Task, { once, sending, leaving }: Pick<Leaving, 'sending' | 'leaving'> & { readonly once: OneFlight }): Promise<TaskRecord | undefined> {
  const { isNew, record } = await tracker.announceOnce(once, announcementOf(leaving, tracker.keepFailedMs), sending)
  return isNew ? undefined : joinable(record, task, once.key)
}

function outsideRequest(task: string): ErrandError {
  return new ErrandError(
    'OUTSIDE_REQUEST',
    `Cannot send ${task}: it was called outside any request, and "outsideRequest: error" forbids that. ` +
      'Call it inside withContext({ user, … }, fn), or mount requestContext() before the handler.',
  )
}
