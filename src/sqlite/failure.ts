import { ErrandError, type ErrorCode } from '../errors.js'

/** Primary result codes of SQLite (the low byte of the extended ones) that mean something particular here. */
const BUSY = 5
const READONLY = 8
const FULL = 13
const CANTOPEN = 14
const PROTOCOL = 15
const NOTADB = 26

const NUMBERS: Readonly<Record<string, number>> = {
  SQLITE_BUSY: BUSY,
  SQLITE_READONLY: READONLY,
  SQLITE_FULL: FULL,
  SQLITE_CANTOPEN: CANTOPEN,
  SQLITE_PROTOCOL: PROTOCOL,
  SQLITE_NOTADB: NOTADB,
}

/** Whether another connection holds the lock, so that trying again will help. */
export function isBusy(error: unknown): boolean {
  const code = resultCode(error)
  return code === BUSY || code === PROTOCOL
}

/** Whether there was no room on the disk. */
export const isFull = (error: unknown): boolean => resultCode(error) === FULL

/** A failure of SQLite as an error of this library; `what` is the beginning of a sentence: `Cannot store messages`. */
export function sqliteFailure(what: string, file: string, error: unknown): ErrandError {
  if (error instanceof ErrandError) return error
  const [code, why] = explain(resultCode(error))
  return new ErrandError(code, `${what} in ${file}: ${why}`, { cause: error })
}

/** A commit that could not be brought to the disk. */
export const unflushed = (file: string, error: unknown): ErrandError =>
  new ErrandError(
    'PUBLISH_TIMEOUT',
    `Cannot flush ${file} to the disk${systemCodeOf(error)}: whether the change survives a power cut is unknown. Done again it may count twice.`,
    { cause: error },
  )

/** A file of which a flush failed: nothing that is committed to it now would survive a power cut for certain. */
export const unsafeFile = (file: string, error: unknown): ErrandError =>
  new ErrandError(
    'BROKER_UNREACHABLE',
    `The file ${file} could not be flushed to the disk${systemCodeOf(error)}, and is not written to any more. See to the disk (its health, its room), ` +
      'then restart every process that uses the file.',
    { cause: error },
  )

/** What the system called it, in brackets. */
function systemCodeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? ` (${error.code})` : ''
}

function explain(code: number | undefined): [ErrorCode, string] {
  switch (code) {
    case BUSY:
    case PROTOCOL:
      return ['BROKER_UNREACHABLE', 'another process has kept the file locked. Find what holds it; a backup tool often does.']
    case READONLY:
      return ['BROKER_REFUSED', 'it is read-only for this process. Give its user write access to the file and its folder.']
    case CANTOPEN:
      return ['BROKER_REFUSED', 'the file or its folder cannot be opened. Check the path, and that this user may write there.']
    case FULL:
      return ['QUEUE_FULL', 'the disk is full. Free space; nothing of this was stored.']
    case NOTADB:
      return ['DRIVER_UNSUPPORTED', 'the file is not an SQLite database. Name another file, or move this one away.']
    default:
      return ['BROKER_UNREACHABLE', 'SQLite failed; its own message is the cause of this error.']
  }
}

/** better-sqlite3 says `code: 'SQLITE_BUSY_RECOVERY'`, node:sqlite `errcode: 261`. */
function resultCode(error: unknown): number | undefined {
  if (!(error instanceof Error)) return undefined
  if ('errcode' in error && typeof error.errcode === 'number') return error.errcode & 0xff
  if (!('code' in error) || typeof error.code !== 'string') return undefined
  return NUMBERS[error.code.split('_').slice(0, 2).join('_')]
}
