import type { OpenedCall, Outcome } from '../core/message.js'
import { ErrandError } from '../errors.js'
import { bareError } from './bare-error.js'
import type { Runtime } from './runtime.js'
import type { Answer } from './tracking/answer.js'

/** A call whose caller may wait for its outcome. */
export type Answerable = Pick<OpenedCall, 'id' | 'task' | 'replyTo'>

/**
 * The message with an outcome for a caller that waits; `undefined` where nobody does.
 * @throws ErrandError `VALUE_UNSERIALIZABLE`, `PAYLOAD_TOO_LARGE`: a value that cannot travel is a failure of the task
 */
export function sealAnswer(runtime: Runtime, call: Answerable, outcome: Outcome): Buffer | undefined {
  return call.replyTo === undefined ? undefined : runtime.messages.sealOutcome(call.id, outcome)
}

/** The way of what `sealAnswer` made; `undefined` where nobody waits for it. */
export function answerTo(runtime: Runtime, call: Answerable, body: Buffer | undefined): Answer | undefined {
  const { replyTo } = call
  if (body === undefined || replyTo === undefined) return undefined
  const message = { id: `${call.id}.outcome`, queue: replyTo, body, toTemporary: true }
  return {
    message,
    send: () => runtime.broker.publish(message),
    unsent: (error) => {
      if (error instanceof ErrandError && error.code === 'PUBLISH_UNROUTABLE') return
      runtime.log.warn(`The outcome of ${call.task} ${call.id} could not be sent to its caller: ${error instanceof Error ? error.message : 'unknown'}`)
    },
  }
}

/** Sends what `sealAnswer` made. Never rejects. */
export async function sendAnswer(runtime: Runtime, call: Answerable, body: Buffer | undefined): Promise<void> {
  const answer = answerTo(runtime, call, body)
  await answer?.send().catch(answer.unsent)
}

/** Tells a caller that waits how the task failed. */
export async function answerFailure(runtime: Runtime, call: Answerable, error: unknown): Promise<void> {
  await sendAnswer(runtime, call, sealFailure(runtime, call, error))
}

function sealFailure(runtime: Runtime, call: Answerable, error: unknown): Buffer | undefined {
  try {
    return sealAnswer(runtime, call, { kind: 'failed', error })
  } catch {
    return sealAnswer(runtime, call, { kind: 'failed', error: bareError(call.task, error) })
  }
}
