import type { Verdict } from '../../broker/broker.js'
import { newId } from '../../core/clock.js'
import { givenOne, leavesOpen, type FollowUp } from '../../core/follow-up.js'
import type { OpenedCall } from '../../core/message.js'
import { assertNever, ErrandError, type ErrorCode } from '../../errors.js'
import type { Change } from '../../store/store.js'
import { answerFailure } from '../answers.js'
import { emit } from '../events.js'
import type { Runtime } from '../runtime.js'
import { recordedError } from '../tracking/recorded-error.js'
import { NOT_SENT } from '../tracking/tracking.js'
import { announcementOfFollowUp, isTracked } from './announce.js'
import { endText, errorText, type CallEnd } from './call-end.js'
import { groupText } from './group.js'
import { stepFailed } from './step-failed.js'

/**
 * Pauses before what could not be sent is tried again, within the run: a body may have no store that knows it has ended, and would run once
 * more. Together less than the usual grace of a worker that stops.
 */
const PAUSES_MS = [500, 1_000, 2_000, 4_000, 8_000, 8_000]
/** About the message itself: the same would happen again, for ever. */
const HOPELESS: ReadonlySet<ErrorCode> = new Set(['PAYLOAD_TOO_LARGE', 'OPTION_INVALID'])

/** For a message whose follow-ups could not be sent: it is delivered again, and its body is not run again where that it completed is known. */
export const COME_AGAIN: Verdict = { kind: 'later', delayMs: 1_000 }

/** A call that has ended, or can run no more. */
export type CallBefore = Pick<OpenedCall, 'id' | 'task' | 'context' | 'carriers' | 'next'>

/**
 * Sends what follows a call, and ends what cannot follow it any more. To be called before the message of the call is acknowledged; answers
 * whether all is done, otherwise the message must come again. Never rejects.
 */
export async function followCall(runtime: Runtime, call: CallBefore, end: CallEnd): Promise<boolean> {
  for (const followUp of call.next ?? []) {
    if (!(await followPatiently({ runtime, before: call, followUp }, end))) return false
  }
  return true
}

async function followPatiently(step: Step, end: CallEnd): Promise<boolean> {
  const { runtime, before } = step
  for (const pauseMs of [...PAUSES_MS, undefined]) {
    try {
      await follow(step, end)
      return true
    } catch (error) {
      runtime.log.warn(`What follows ${before.task} ${before.id} could not be sent, and is tried again: ${error instanceof Error ? error.message : 'unknown'}`)
    }
    if (pauseMs !== undefined) await new Promise<void>((resolve) => runtime.clock.after(pauseMs, resolve))
  }
  return false
}

interface Step {
  readonly runtime: Runtime
  readonly before: CallBefore
  readonly followUp: FollowUp
}

async function follow(step: Step, end: CallEnd): Promise<void> {
  const { before, followUp } = step
  if (followUp.on === 'ended') return send(step, () => givenOne(endText(before, end)))
  switch (end.kind) {
    case 'completed':
      if (followUp.on === 'failed') return
      return followUp.group === undefined ? send(step, () => givenOne(end.text())) : sendAfterGroup(step)
    case 'failed': {
      if (followUp.on === 'failed') return send(step, () => givenOne(errorText(before, end.error)))
      const error = followUp.group === undefined ? stepFailed(followUp.task, before, end.error) : end.error
      return giveUp(step, { kind: 'failed', error })
    }
    case 'cancelled':
      return followUp.on === 'failed' ? undefined : giveUp(step, end)
    default:
      return assertNever(end)
  }
}

/** What follows groups and is being sent here. */
const leaving = new Set<string>()

/**
 * The last of a group to complete sends what follows it. Of two that are the last at once in this process one does, whose message comes
 * again should that fail; in two processes both do, and one of their messages is run.
 */
async function sendAfterGroup(step: Step): Promise<void> {
  const { tracking } = step.runtime
  const { id } = step.followUp
  const results = tracking === undefined ? undefined : await groupText(tracking, step.followUp, step.before.id)
  // not asked before: who sends it by now has seen all of them completed
  if (results === undefined || leaving.has(id)) return
  leaving.add(id)
  try {
    await send(step, results)
  } finally {
    leaving.delete(id)
  }
}

/** A result that does not fit into the message of a follow-up is a failure of the follow-up. */
async function send(step: Step, given: () => string): Promise<void> {
  const { runtime, followUp } = step
  const sentAt = runtime.clock.now()
  let body: Buffer
  try {
    // what nobody asks for must not make the message too large
    body = seal(step, leavesOpen(followUp.args) ? given() : undefined, sentAt)
  } catch (error) {
    return giveUp(step, { kind: 'failed', error })
  }
  const { id, task, options } = followUp
  const { queue, delayMs, priority } = options
  const { tracking, broker, log } = runtime
  const message = { id, queue, body, delayMs, priority }
  const sending = { message, send: () => broker.publish(message) }
  let isSentHere = true
  try {
    if (tracking === undefined || !isTracked(followUp)) await sending.send()
    else isSentHere = await tracking.announceDeferred(announcementOfFollowUp(runtime, tracking, { ...step.before, sentAt }, followUp), sending)
  } catch (error) {
    if (error instanceof ErrandError && HOPELESS.has(error.code)) return giveUp(step, { kind: 'failed', error })
    throw error
  }
  if (isSentHere) emit(log, 'queued', { id, task, at: sentAt, queue, delayMs })
}

function seal({ runtime, before, followUp }: Step, given: string | undefined, sentAt: number): Buffer {
  const { settings, messages } = runtime
  const { id, task, args, options, replyTo, next } = followUp
  const expiresAt = settings.expiresMs === 0 ? undefined : sentAt + options.delayMs + settings.expiresMs
  const { context, carriers } = before
  return messages.sealCall({ id, task, args, context, carriers, sentAt, expiresAt, replyTo, given, next, copy: newId() })
}

/** Ends a follow-up that can run no more, and with it what follows that. */
async function giveUp({ runtime, before, followUp }: Step, end: Exclude<CallEnd, { kind: 'completed' }>): Promise<void> {
  const { tracking, clock } = runtime
  const { id, task, replyTo, next } = followUp
  if (tracking !== undefined && isTracked(followUp)) {
    const at = clock.now()
    const known = announcementOfFollowUp(runtime, tracking, { ...before, sentAt: at }, followUp)
    const expiresAt = tracking.expiryOf(end.kind, undefined)
    const happened = { id, at, expiresAt }
    const change: Change = end.kind === 'failed' ? { kind: 'failed', ...happened, error: recordedError(end.error) } : { kind: 'cancelled', ...happened, error: end.recorded }
    await tracking.record([{ ...known, sendingUntil: NOT_SENT }, change])
  }
  await answerFailure(runtime, { id, task, replyTo }, end.error)
  for (const last of next) await follow({ runtime, before: { ...before, id, task, next }, followUp: last }, end)
}
