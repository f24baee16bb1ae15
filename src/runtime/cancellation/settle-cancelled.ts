import type { Verdict } from '../../broker/broker.js'
import type { OpenedCall } from '../../core/message.js'
import { answerFailure } from '../answers.js'
import { COME_AGAIN, followCall } from '../composition/follow.js'
import { emit } from '../events.js'
import type { Runtime } from '../runtime.js'
import { cancelledError, noteOf, recordedCancel, type CancelNote } from './cancelled.js'
import { cancelChildren } from './records.js'

/**
 * The end of a delivery whose task was cancelled: it is neither retried nor dead-lettered. Its caller is told, and the calls that it made
 * until it heard of it are cancelled too.
 */
export async function settleCancelled(runtime: Runtime, call: OpenedCall): Promise<Verdict> {
  const { id, task } = call
  runtime.log.info(`${task} ${id} was cancelled.`)
  emit(runtime.log, 'cancelled', { id, task, at: runtime.clock.now() })
  const note = await noteFrom(runtime, id)
  await answerFailure(runtime, call, cancelledError(id, note))
  if (note?.children === true) await cancelLateChildren(runtime, id, note)
  // after that, for what follows a cancellation is not cancelled with it
  const end = { kind: 'cancelled', error: cancelledError(id, note), recorded: note === undefined ? undefined : recordedCancel(id, note) } as const
  return (await followCall(runtime, call, end)) ? { kind: 'done' } : COME_AGAIN
}

async function noteFrom({ tracking }: Runtime, id: string): Promise<CancelNote | undefined> {
  try {
    return noteOf((await tracking?.store.find({ id }))?.error)
  } catch {
    return undefined // a store that is away; that it was cancelled is known all the same
  }
}

async function cancelLateChildren({ tracking, log }: Runtime, id: string, note: CancelNote): Promise<void> {
  if (tracking === undefined) return
  try {
    await cancelChildren(tracking, [id], note)
  } catch (error) {
    log.warn(`Calls that the cancelled task ${id} made may go on: ${error instanceof Error ? error.message : 'unknown'}`)
  }
}
