import { ErrandError, type ErrorCode } from '../../errors.js'

const CODES: Readonly<Partial<Record<ErrorCode, ErrorCode>>> = {
  BROKER_UNREACHABLE: 'STORE_UNREACHABLE',
  BROKER_REFUSED: 'STORE_REFUSED',
  QUEUE_FULL: 'STORE_REFUSED',
}

/** A failure of the shared SQLite file as one of the store. */
export function storeFailure(error: unknown): unknown {
  if (!(error instanceof ErrandError)) return error
  const code = CODES[error.code]
  return code === undefined ? error : new ErrandError(code, error.message, { cause: error })
}
