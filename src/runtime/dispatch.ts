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
import { emit } from './events.js'
import { handOver, waitsForItself } from './hand-over.js'
import { createHandle, type TaskHandle } from './handle.js'
import { OutcomeBox } from './outcome-box.js'
import type { Replies } from './replies.js'
import type { Runtime } from './runtime.js'
import type { TaskCall } from './task-call.js'
import type { TaskRecord } from '../store/store.js'
import { joinable, joinedHandle, trackerForKey } from './keys/joined.js'
import type { OneFlight } from './tracking/tracking.js'
import { announcementOf } from './tracking/announcement.js'
import { sourceOf, sourceOfBox } from './tracking/source.js'

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

/** Answers the task that the call joined instead, if it did. */
async function publish(runtime: Runtime, task: Task, call: EncodedCall, address: Address): Promise<TaskRecord | undefined> {
  const { settings, messages, clock, tracking } = runtime
  const { id, replyTo, options, isKnown = false, once, next = [], memo, parentId } = address
  if (call.context === undefined && settings.outsideRequest === 'error') throw outsideRequest(task.name)
  const sentAt = clock.now()
  const expiresAt = settings.expiresMs === 0 ? undefined : sentAt + options.delayMs + settings.expiresMs
  const { args, context, carriers, within } = call
  const body = messages.sealCall({ id, task: task.name, args, context, carriers, sentAt, expiresAt, replyTo, next })
  const { queue, delayMs, priority } = options
  const send = (): Promise<void> => handOver(runtime, { id, queue, body, delayMs, priority }, within)
  const isTracked = task.declaration.options.track
  const leaving = { id, task: task.name, context, isReadOnce: task.declaration.options.resultOnce, options, sentAt, expiresAt, memo, parentId }
  if (once !== undefined) {
    const tracker = trackerForKey(tracking, task, within)
    const { isNew, record } = await tracker.announceOnce(once, announcementOf(leaving, tracker.keepFailedMs), send)
    if (!isNew) return joinable(record, task, once.key)
  } // what its transaction may still roll back must not stand as queued
  else if (within !== undefined || tracking === undefined || isKnown || !isTracked) await send()
  else {
    const following = next.length === 0 ? undefined : announcementsOf(runtime, tracking, { ...leaving, delayMs }, next)
    await tracking.announce(announcementOf(leaving, tracking.keepFailedMs), send, following)
  }
  // the same holds for whoever listens
  if (within === undefined) emit(runtime.log, 'queued', { id, task: task.name, at: sentAt, queue, delayMs })
  return undefined
}

function outsideRequest(task: string): ErrandError {
  return new ErrandError(
    'OUTSIDE_REQUEST',
    `Cannot send ${task}: it was called outside any request, and "outsideRequest: error" forbids that. ` +
      'Call it inside withContext({ user, … }, fn), or mount requestContext() before the handler.',
  )
}
