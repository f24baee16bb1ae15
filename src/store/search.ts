import { TASK_STATES } from '../core/lifecycle.js'
import { refuseUnknownKeys, show } from '../core/options.js'
import { ErrandError } from '../errors.js'
import { stateAt } from './apply.js'
import type { Page, Search, TaskRecord } from './store.js'

const DEFAULT_LIMIT = 50
const HIGHEST_LIMIT = 500
const KEYS = ['states', 'task', 'queue', 'owner', 'tenant', 'key', 'tag', 'parentId', 'text', 'from', 'to', 'after', 'limit']

/** Where a page ended: the time and the id of its last record. */
export interface Place {
  readonly createdAt: number
  readonly id: string
}

/** A search whose values were looked at. */
export interface ResolvedSearch extends Omit<Search, 'after' | 'limit'> {
  readonly after: Place | undefined
  readonly limit: number
}

/** @throws ErrandError `OPTION_INVALID` */
export function resolveSearch(given: Search): ResolvedSearch {
  refuseUnknownKeys('search', given, KEYS)
  const { after, limit = DEFAULT_LIMIT, ...conditions } = given
  if (!Number.isInteger(limit) || limit < 1 || limit > HIGHEST_LIMIT) {
    throw new ErrandError('OPTION_INVALID', `search limit must be a whole number from 1 to ${HIGHEST_LIMIT}, got ${show(limit)}.`)
  }
  for (const [name, at] of Object.entries({ from: conditions.from, to: conditions.to })) {
    if (at !== undefined && !Number.isSafeInteger(Math.ceil(at))) {
      throw new ErrandError('OPTION_INVALID', `search ${name} must be milliseconds since the epoch, got ${show(at)}.`)
    }
  }
  const unknown = conditions.states?.find((state) => !TASK_STATES.includes(state))
  if (unknown !== undefined) throw new ErrandError('OPTION_INVALID', `search states has no ${show(unknown)}: ${TASK_STATES.join(', ')}.`)
  return { ...conditions, after: after === undefined ? undefined : readPlace(after), limit }
}

/** A page of at most `limit` records, of which one more was found where there is a next page. */
export function pageOf(found: readonly TaskRecord[], limit: number): Page {
  const records = found.slice(0, limit)
  const last = records.at(-1)
  return found.length > limit && last !== undefined ? { records, next: writePlace(last) } : { records }
}

/** Whether a record is what is searched for; the memory store's search, and what the others' SQL says. */
export function matches(record: TaskRecord, search: ResolvedSearch, now: number): boolean {
  const { states, tag, text, from, to } = search
  if (states !== undefined && !states.includes(stateAt(record, now))) return false
  for (const name of ['task', 'queue', 'owner', 'tenant', 'key', 'parentId'] as const) {
    if (search[name] !== undefined && search[name] !== record[name]) return false
  }
  if (tag !== undefined && !record.tags.includes(tag)) return false
  if (from !== undefined && record.createdAt < from) return false
  if (to !== undefined && record.createdAt >= to) return false
  return text === undefined || searchable(record).includes(fold(text))
}

/** What of a task `text` is looked for in. */
type Searchable = Pick<TaskRecord, 'id' | 'task' | 'key' | 'owner' | 'error'> & { readonly tags?: readonly string[] | undefined }

/** The text in which a search looks. A line break keeps what is looked for from matching across two of its parts. */
export function searchable({ id, task, key, owner, tags, error }: Searchable): string {
  let text = id
  for (const part of [task, key, owner]) if (part !== undefined) text += `\n${part}`
  if (tags !== undefined) for (const tag of tags) text += `\n${tag}`
  return fold(error === undefined ? text : `${text}\n${error.message}`)
}

/** In small letters, and without what a database may refuse in a text: NUL and halves of characters. */
export function fold(text: string): string {
  const small = text.toLowerCase()
  return UNFIT.test(small) ? small.replaceAll('\0', '\uFFFD').replace(/\p{Surrogate}/gu, '\uFFFD') : small
}

/** Matches most texts that are to be changed, and some that are not. */
const UNFIT = /[\0\uD800-\uDFFF]/

function writePlace({ createdAt, id }: Place): string {
  return Buffer.from(JSON.stringify([Math.trunc(createdAt), id])).toString('base64url')
}

function readPlace(text: string): Place {
  try {
    const place: unknown = JSON.parse(Buffer.from(text, 'base64url').toString())
    if (Array.isArray(place) && Number.isSafeInteger(place[0]) && typeof place[1] === 'string') return { createdAt: Number(place[0]), id: place[1] }
  } catch {
    // refused below
  }
  throw new ErrandError('OPTION_INVALID', 'search after must be the `next` of a page, unchanged.')
}
