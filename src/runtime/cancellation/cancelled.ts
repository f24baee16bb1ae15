import { decodeValue } from '../../core/codec/decode.js'
import { encodeValue } from '../../core/codec/encode.js'
import type { LazySignal } from '../../core/lazy-signal.js'
import { ErrandError } from '../../errors.js'
import type { RecordedError } from '../../store/store.js'

/** Who cancelled a task, and why. */
export interface TaskCancellation {
  /** Id of the user who did, where that is known. */
  readonly by?: string | undefined
  readonly reason?: string | undefined
}

/** A cancellation as it is kept. */
export interface CancelNote extends TaskCancellation {
  /** Whether the calls that the task makes are cancelled with it. */
  readonly children: boolean
}

/** What the store keeps of a cancellation: a task that was cancelled has this for its error. */
export function recordedCancel(id: string, note: CancelNote): RecordedError {
  const { code, message } = cancelledError(id, note)
  return { name: 'ErrandError', code, message, encoded: encodeValue(note, 'Cannot cancel', 'the reason') }
}

/** The cancellation that was recorded. Of one that something else wrote nothing is known. */
export function noteOf(error: RecordedError | undefined): CancelNote {
  const { by, reason, children } = fieldsOf(error?.encoded)
  return {
    ...(typeof by === 'string' ? { by } : {}),
    ...(typeof reason === 'string' ? { reason } : {}),
    children: children !== false,
  }
}

/** What a wait for the result of a cancelled task ends with, and what its signal aborts with. */
export function cancelledError(id: string, { by, reason }: TaskCancellation = {}): ErrandError {
  const who = by === undefined ? '' : ` by ${by}`
  const why = reason === undefined ? '' : ` (${reason})`
  return new ErrandError('TASK_CANCELLED', `Task ${id} has no result: it was cancelled${who}${why}. Call it again if it should still run.`)
}

/** Whether a run was aborted because its task was cancelled. */
export const isCancelled = ({ reason }: LazySignal): boolean => reason instanceof ErrandError && reason.code === 'TASK_CANCELLED'

function fieldsOf(encoded: string | undefined): Readonly<Record<string, unknown>> {
  try {
    const note: unknown = encoded === undefined ? undefined : decodeValue(encoded)
    return typeof note === 'object' && note !== null ? { ...note } : {}
  } catch {
    return {}
  }
}
