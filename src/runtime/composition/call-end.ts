import { decodeValue } from '../../core/codec/decode.js'
import { encodeValue } from '../../core/codec/encode.js'
import { assertNever } from '../../errors.js'
import type { RecordedError } from '../../store/store.js'
import { bareError } from '../bare-error.js'
import type { Ended } from './follower.js'
import { asError } from './step-failed.js'

/** How a call was concluded: no run of it comes after that. */
export type CallEnd =
  /** `text` answers the encoded value of its body. @throws ErrandError `VALUE_UNSERIALIZABLE`, `RESULT_UNAVAILABLE` */
  | { readonly kind: 'completed'; readonly text: () => string }
  | { readonly kind: 'failed'; readonly error: unknown }
  | { readonly kind: 'cancelled'; readonly error: Error; readonly recorded: RecordedError | undefined }

interface Called {
  readonly id: string
  readonly task: string
}

/** The encoded value of a body. @throws ErrandError `VALUE_UNSERIALIZABLE` */
export const valueText = ({ task }: Called, value: unknown): string => encodeValue(value, `Cannot pass on the result of ${task}`, 'the result')

/** The encoded error of a call; of one that cannot travel whole, without its fields. */
export function errorText({ task }: Called, thrown: unknown): string {
  const error = asError(task, thrown)
  const subject = `Cannot pass on the error of ${task}`
  try {
    return encodeValue(error, subject, 'the error')
  } catch {
    return encodeValue(bareError(task, error), subject, 'the error')
  }
}

/** What a follow-up of any end is given, encoded. */
export function endText(call: Called, end: CallEnd): string {
  const ended = endedBy(call, end)
  return encodeValue(ended, `Cannot pass on the end of ${call.task}`, 'the end')
}

function endedBy({ id, task }: Called, end: CallEnd): Ended {
  switch (end.kind) {
    case 'completed':
      return { id, task, state: 'completed', value: decodeValue(end.text()) }
    case 'failed':
    case 'cancelled':
      return { id, task, state: end.kind, error: travelling({ id, task }, end.error) }
    default:
      return assertNever(end)
  }
}

/** The error as a follow-up will have it. */
function travelling(call: Called, error: unknown): Error {
  try {
    encodeValue(error, '', '')
    return asError(call.task, error)
  } catch {
    return bareError(call.task, error)
  }
}
