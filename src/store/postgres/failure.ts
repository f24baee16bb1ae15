import { ErrandError } from '../../errors.js'

/** What a failure of PostgreSQL asks for. */
export type FailureKind =
  /** The connection is gone, or the server just now takes none: try again. */
  | 'lost'
  /** The server ended this transaction in favour of another: try again at once. */
  | 'yielded'
  /** Trying again does not help. */
  | 'refused'

/** Classes and codes of SQLSTATE. */
const LOST = ['08', '57P', '53300', '25006']
const YIELDED = ['40']
const HINTS: readonly (readonly [string, string])[] = [
  ['28', 'Check user and password.'],
  ['3D', 'Create the database, or name another one.'],
  ['42501', 'Let the owner of the database run it once, or grant CREATE on the database and everything on the schema.'],
  ['53100', 'Free space; nothing of this was stored.'],
]

export function failureKind(error: unknown): FailureKind {
  const code = sqlState(error)
  if (code === undefined) return 'lost'
  if (LOST.some((prefix) => code.startsWith(prefix))) return 'lost'
  return YIELDED.some((prefix) => code.startsWith(prefix)) ? 'yielded' : 'refused'
}

/** A failure as an error of this library; `what` is the beginning of a sentence: `Cannot record changes`. */
export function postgresFailure(what: string, url: string, error: unknown): ErrandError {
  if (error instanceof ErrandError) return error
  const code = sqlState(error)
  if (failureKind(error) !== 'refused') {
    return new ErrandError('STORE_UNREACHABLE', `${what} at ${url}: the server does not answer. Check that it runs and can be reached.`, {
      cause: error,
    })
  }
  const hint = HINTS.find(([prefix]) => code?.startsWith(prefix))?.[1] ?? 'Its own message is the cause of this error.'
  return new ErrandError('STORE_REFUSED', `${what} at ${url}: PostgreSQL refused with ${code}. ${hint}`, { cause: error })
}

/** Five characters where the server itself answered; errors of the socket have longer codes, or none. */
function sqlState(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return undefined
  return /^[0-9A-Z]{5}$/.test(error.code) && 'severity' in error ? error.code : undefined
}
