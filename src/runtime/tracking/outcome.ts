import { decodeValue } from '../../core/codec/decode.js'
import type { Outcome } from '../../core/message.js'
import { ErrandError } from '../../errors.js'
import type { TaskRecord } from '../../store/store.js'
import { cancelledError, noteOf } from '../cancellation/cancelled.js'
import { revivedError } from './recorded-error.js'
import { NOT_KEPT } from './tracked-run.js'

/** How a task ended, as it was recorded; `undefined` while it has not. */
export function outcomeOf({ id, state, result, error }: TaskRecord): Outcome | undefined {
  if (state === 'failed') return { kind: 'failed', error: error === undefined ? failedSomehow(id) : revivedError(error) }
  if (state === 'cancelled') return { kind: 'failed', error: cancelledError(id, noteOf(error)) }
  if (state !== 'completed') return undefined
  if (result === NOT_KEPT) return { kind: 'failed', error: notKept(id) }
  return result === undefined ? { kind: 'completed', value: undefined } : valueOf(result)
}

function valueOf(result: string): Outcome {
  try {
    return { kind: 'completed', value: decodeValue(result) }
  } catch (error) {
    return { kind: 'failed', error }
  }
}

const failedSomehow = (id: string): ErrandError => new ErrandError('TASK_FAILED', `Task ${id} failed, and nothing more is known of that.`)

const notKept = (id: string): ErrandError =>
  new ErrandError(
    'RESULT_UNAVAILABLE',
    `Task ${id} completed, and its result was not kept: it is larger than the store takes, or could not be encoded. Keep it elsewhere, and answer its id.`,
  )
