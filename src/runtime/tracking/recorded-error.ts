import { decodeValue } from '../../core/codec/decode.js'
import { encodeValue } from '../../core/codec/encode.js'
import { makeError } from '../../core/codec/errors.js'
import { show } from '../../core/options.js'
import { ErrandError, ERROR_CODES, type ErrorCode } from '../../errors.js'
import type { RecordedError } from '../../store/store.js'
import { bareError } from '../bare-error.js'

/** A failure as the store keeps it. Secrets were taken out before. */
export function recordedError(error: unknown): RecordedError {
  if (!(error instanceof Error)) return { name: typeof error, message: 'a value that is no error was thrown', ...encoded(error) }
  const code: unknown = Reflect.get(error, 'code')
  return { name: textOf(error.name), message: textOf(error.message), ...(typeof code === 'string' ? { code } : {}), ...encoded(error) }
}

/** The error that was recorded: as it was where it could be kept whole, else one with its name, message and code. */
export function revivedError({ name, message, code, encoded: text }: RecordedError): unknown {
  if (text !== undefined) {
    try {
      return decodeValue(text)
    } catch {
      // of a class that this process does not know
    }
  }
  if (name === 'ErrandError' && isCode(code)) return new ErrandError(code, message)
  const error = makeError(name, message, undefined) ?? makeError('Error', message, undefined)
  if (error?.name !== name) Object.assign(error ?? {}, { name })
  return Object.assign(error ?? {}, code === undefined ? {} : { code })
}

/** What an application puts into its errors may be anything. */
const textOf = (given: unknown): string => (typeof given === 'string' ? given : show(given))

const isCode = (code: string | undefined): code is ErrorCode => code !== undefined && Object.hasOwn(ERROR_CODES, code)

function encoded(error: unknown): { readonly encoded?: string } {
  for (const candidate of [error, bareError('the task', error)]) {
    try {
      return { encoded: encodeValue(candidate, 'Cannot keep the error', 'the error') }
    } catch {
      // with fields that cannot travel; then without its fields
    }
  }
  return {}
}
