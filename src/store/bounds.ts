import { show } from '../core/options.js'
import { ErrandError } from '../errors.js'
import type { Change, RecordedError } from './store.js'

/** Ids are made by this library; what comes from outside is a key, which may hold anything. */
const ID = /^[\x21-\x7e]{1,200}$/
/** Characters of a key, tag and every other name. */
const LONGEST_NAME = 1_000
const MOST_TAGS = 50
/** Bytes of what a task says of its progress; it is written again with every report. */
export const LARGEST_PROGRESS = 64 * 1024
/** Bytes of what is kept with a call from its beginning. */
export const LARGEST_MEMO = 64 * 1024
/** Characters of where something is to be found. */
export const LONGEST_LINK = 2_000
/** Bytes of a result; larger things belong where the application keeps such things. */
export const LARGEST_RESULT = 1024 * 1024
/** Characters of an error's name and code, and of its message. */
const LONGEST_LABEL = 200
const LONGEST_MESSAGE = 2_000
/** Bytes of an encoded error. */
const LARGEST_ERROR = 16 * 1024

/**
 * A change as it may be stored: errors cut to their bounds, everything else refused beyond them.
 * @throws ErrandError `OPTION_INVALID` for a name, `PAYLOAD_TOO_LARGE` for a result or progress
 */
export function boundChange(change: Change): Change {
  refuseId(change.id)
  refuseTimes(change)
  if (change.kind === 'announced') refuseAnnouncement(change)
  if (change.kind === 'announced') refuseLarge(change.id, 'memo', change.memo, LARGEST_MEMO)
  if (change.kind === 'progressed') {
    refuseLarge(change.id, 'progress data', change.progress.data, LARGEST_PROGRESS)
    refuseLarge(change.id, 'link', change.progress.link, 4 * LONGEST_LINK) // bytes of its characters
  }
  if (change.kind === 'completed') refuseLarge(change.id, 'result', change.result, LARGEST_RESULT)
  if (change.kind === 'progressed' && (change.progress.message?.length ?? 0) > LONGEST_MESSAGE) {
    return { ...change, progress: { ...change.progress, message: change.progress.message?.slice(0, LONGEST_MESSAGE) } }
  }
  return 'error' in change && change.error !== undefined ? { ...change, error: boundError(change.error) } : change
}

/** Whether a task can have this id; of any other nothing is known. */
export function isId(id: string): boolean {
  return ID.test(id)
}

/** @throws ErrandError `OPTION_INVALID` */
export function refuseName(what: string, value: string | undefined): void {
  if (value === undefined || (typeof value === 'string' && value !== '' && value.length <= LONGEST_NAME)) return
  const why = typeof value === 'string' ? `${value.length} characters` : show(value)
  throw new ErrandError('OPTION_INVALID', `The ${what} of a task must be a text of 1 to ${LONGEST_NAME} characters, got ${why}.`)
}

function refuseId(id: string): void {
  if (typeof id === 'string' && isId(id)) return
  throw new ErrandError('OPTION_INVALID', `The id of a task must be 1 to 200 printable ASCII characters without spaces, got ${show(id)}.`)
}

/** Names each time, for it is the caller's that may be wrong; written out, for every change passes here. */
function refuseTimes(change: Change): void {
  const { id } = change
  if (change.kind === 'announced') {
    refuseTime(id, 'createdAt', change.createdAt)
    refuseTime(id, 'dueAt', change.dueAt)
    refuseTime(id, 'sendingUntil', change.sendingUntil)
  } else {
    refuseTime(id, 'at', change.at)
    if (change.kind === 'retrying') refuseTime(id, 'dueAt', change.dueAt)
    if (change.kind === 'revived') refuseTime(id, 'sendingUntil', change.sendingUntil)
    if ('run' in change && change.run !== undefined) refuseTime(id, 'startedAt', change.run.startedAt)
  }
  refuseTime(id, 'expiresAt', change.expiresAt)
}

function refuseTime(id: string, name: string, time: number | undefined): void {
  if (time === undefined || Number.isSafeInteger(time)) return
  throw new ErrandError('OPTION_INVALID', `${name} of task ${id} must be whole milliseconds since the epoch, got ${show(time)}.`)
}

function refuseAnnouncement({ id, task, queue, owner, tenant, key, parentId, tags = [] }: Extract<Change, { kind: 'announced' }>): void {
  refuseName('task', task)
  refuseName('queue', queue)
  refuseName('owner', owner)
  refuseName('tenant', tenant)
  refuseName('key', key)
  refuseName('parentId', parentId)
  for (const tag of tags) refuseName('tag', tag)
  if (tags.length <= MOST_TAGS) return
  throw new ErrandError('OPTION_INVALID', `Task ${id} has ${tags.length} tags; ${MOST_TAGS} at most. Give it fewer.`)
}

function refuseLarge(id: string, what: string, text: string | undefined, most: number): void {
  const bytes = text === undefined ? 0 : Buffer.byteLength(text)
  if (bytes <= most) return
  throw new ErrandError(
    'PAYLOAD_TOO_LARGE',
    `Cannot keep the ${what} of task ${id}: it is ${bytes} bytes, and ${most} is the limit. Keep it elsewhere, and its id here.`,
  )
}

function boundError({ name, message, code, encoded }: RecordedError): RecordedError {
  const isSmall = encoded !== undefined && Buffer.byteLength(encoded) <= LARGEST_ERROR
  return {
    name: name.slice(0, LONGEST_LABEL),
    message: message.slice(0, LONGEST_MESSAGE),
    ...(code === undefined ? {} : { code: code.slice(0, LONGEST_LABEL) }),
    ...(isSmall ? { encoded } : {}),
  }
}
