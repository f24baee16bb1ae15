import { hostname } from 'node:os'
import type { ConsumeOptions, Delivery, Verdict } from '../../broker/broker.js'
import { decodeValue } from '../../core/codec/decode.js'
import type { OpenedCall } from '../../core/message.js'
import { registry } from '../../core/registry.js'
import type { Task } from '../../core/task.js'
import type { Run } from '../../core/run.js'
import { sealAnswer, sendAnswer } from '../answers.js'
import { COME_AGAIN } from '../composition/follow.js'
import { followCompleted } from '../composition/follow-completed.js'
import { settleCancelled } from '../cancellation/settle-cancelled.js'
import type { Runtime } from '../runtime.js'
import { NOT_KEPT, TrackedRun } from './tracked-run.js'
import type { Tracking } from './tracking.js'

/** Whether a run may begin. */
export type Begun =
  | { readonly kind: 'go'; readonly tracked: TrackedRun | undefined }
  /** The task has completed, or was cancelled while it waited: nothing is to be run. */
  | { readonly kind: 'over'; readonly state: EndedBefore }

/** What was known of a task before a run of it could begin; `elsewhere`: another message of the same call is the one that is run. */
export type EndedBefore = 'completed' | 'cancelled' | 'elsewhere'

/** A run that is about to begin. */
export interface Beginning {
  readonly call: Pick<OpenedCall, 'id' | 'copy'>
  readonly task: Task
  readonly delivery: Delivery
  readonly startedAt: number
}

const HOST = hostname()

/**
 * Writes down that a run begins, unless that was done before it came here. It waits for the answer: that is what keeps a cancelled
 * task from running, and a completed one from running again. Without a store to ask it runs.
 */
export function beginRun({ tracking }: Runtime, beginning: Beginning): Begun | Promise<Begun> {
  const { call, task, delivery } = beginning
  if (tracking === undefined) return UNTRACKED
  if (delivery.begun !== undefined && delivery.id === call.id) return { kind: 'go', tracked: trackedRun(tracking, beginning, delivery.begun) }
  if (!task.declaration.options.track) return UNTRACKED
  return call.copy === undefined ? beginTracked(tracking, beginning) : beginCopy(tracking, beginning, call.copy)
}

const UNTRACKED: Begun = { kind: 'go', tracked: undefined }

function beginTracked(tracking: Tracking, beginning: Beginning): Promise<Begun> {
  const { call, delivery, startedAt } = beginning
  const run = runOf(delivery, startedAt)
  return tracking.record([{ kind: 'started', id: call.id, run, at: startedAt }]).then((recorded) => {
    const state = recorded?.[0]?.state
    return state === 'completed' || state === 'cancelled' ? { kind: 'over', state } : { kind: 'go', tracked: trackedRun(tracking, beginning, run) }
  })
}

async function beginCopy(tracking: Tracking, beginning: Beginning, copy: string): Promise<Begun> {
  const isTaken = await tracking.takesCopy({ id: beginning.call.id, copy })
  return isTaken ? beginTracked(tracking, beginning) : { kind: 'over', state: 'elsewhere' }
}

const trackedRun = (tracking: Tracking, { call, task }: Beginning, run: Run): TrackedRun =>
  new TrackedRun(tracking, { id: call.id, keepMs: task.declaration.options.keepMs }, run)

/**
 * Writes down that first runs begin, in the transaction that claims their messages; a commit less that a body waits for. What is to be
 * asked about before, as tasks with limits are, begins alone. `undefined` where the claims and the states have no transaction in common.
 */
export function beginWithClaim({ tracking, clock }: Runtime): ConsumeOptions['begin'] {
  const begin = tracking?.begin
  if (begin === undefined) return undefined
  return (claimed) => {
    const startedAt = clock.now()
    return claimed.map((each) => {
      const run = runOf(each, startedAt)
      return begin(each.id, run, registry.beginningAlone) ? run : undefined
    })
  }
}

/** A run of this process. */
export const runOf = ({ attempt }: { readonly attempt: number }, startedAt: number): Run => ({
  attempt,
  startedAt,
  worker: { host: HOST, pid: process.pid },
})

/** Settles a task that is not run again. A caller that waits is told what became of it: the worker that knew may have died before it did. */
export async function settleOver(runtime: Runtime, call: OpenedCall, state: EndedBefore): Promise<Verdict> {
  if (state === 'cancelled') return settleCancelled(runtime, call)
  if (state === 'elsewhere') return { kind: 'done' }
  await answerCompleted(runtime, call)
  return (await followCompleted(runtime, call)) ? { kind: 'done' } : COME_AGAIN
}

async function answerCompleted(runtime: Runtime, call: OpenedCall): Promise<void> {
  runtime.log.info(`${call.task} ${call.id} is not run: it was completed before.`)
  if (call.replyTo === undefined) return
  try {
    const record = await runtime.tracking?.store.find({ id: call.id })
    if (record === undefined || record.result === NOT_KEPT) return
    const value = record.result === undefined ? undefined : decodeValue(record.result)
    await sendAnswer(runtime, call, sealAnswer(runtime, call, { kind: 'completed', value }))
  } catch (error) {
    runtime.log.warn(`The outcome of ${call.task} ${call.id} could not be sent again: ${error instanceof Error ? error.message : 'unknown'}`)
  }
}
