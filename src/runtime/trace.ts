import { ErrandError, type ErrorCode } from '../errors.js'

/** What an error says for the log: its code, its stack, and those of its causes. */
export function traceOf(error: unknown): string {
  const parts: string[] = []
  let at = error
  while (parts.length < MOST_CAUSES && at !== undefined) {
    parts.push(ownTrace(at))
    at = at instanceof Error ? at.cause : undefined
  }
  return parts.join('\ncaused by ')
}

/** Causes may form a circle. */
const MOST_CAUSES = 8

/** Found by the library itself, in no call of the application: where in the library is of no use to who reads the log. */
const FOUND_BY_LIBRARY: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'TASK_UNKNOWN',
  'VALUE_UNREADABLE',
  'CONFIG_INVALID',
  'CONFIG_NOT_FOUND',
  'PACKAGE_MISSING',
  'DRIVER_UNSUPPORTED',
  'MESSAGE_MALFORMED',
  'MESSAGE_TOO_NEW',
  'MESSAGE_FORGED',
  'MESSAGE_MISDIRECTED',
  'MESSAGE_EXPIRED',
  'KEY_MISSING',
  'KEY_INVALID',
  'CONTEXT_UNRESTORABLE',
  'TOKEN_EXPIRED',
  'SERVICE_LOAD_FAILED',
  'INSTANCE_UNAVAILABLE',
  'WORKER_CRASH_LOOP',
  'TASK_FAILED',
])

function ownTrace(error: unknown): string {
  if (!(error instanceof Error)) return 'a value that is no error was thrown'
  if (error instanceof ErrandError && FOUND_BY_LIBRARY.has(error.code)) return `${error.code} ${error.message}`
  const text = error.stack ?? `${error.name}: ${error.message}`
  const code: unknown = Reflect.get(error, 'code')
  // Node writes the codes of its own errors into their first lines already
  const isTold = typeof code !== 'string' || text.split('\n', 1)[0]?.includes(code) === true
  return isTold ? text : `${code} ${text}`
}
