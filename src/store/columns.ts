import { createHash } from 'node:crypto'
import { searchable } from './search.js'
import type { TaskRecord } from './store.js'

/** Bytes above which a text is stored as its digest where it is only compared: an index entry must stay small. */
const LONGEST_EXACT = 300

/** A record as the columns that the SQL drivers search by, and the rest as JSON. */
export interface Columns {
  readonly id: string
  readonly task: string | null
  readonly queue: string | null
  readonly state: string
  readonly owner: string | null
  readonly tenant: string | null
  readonly key: string | null
  readonly parent: string | null
  readonly tags: readonly string[]
  readonly created: number
  readonly due: number | null
  readonly expires: number | null
  readonly words: string
  /** The whole record without its result. */
  readonly record: string
  /** JSON, so that it may hold any character. */
  readonly result: string | null
}

/**
 * A text as it is compared in the database: any character survives (JSON writes NUL and halves of characters as escapes, which
 * databases refuse or change), and a long text becomes its digest. Equal texts and only those have equal forms.
 */
export function exact(text: string): string {
  const json = JSON.stringify(text)
  return Buffer.byteLength(json) <= LONGEST_EXACT ? json : `#${createHash('sha256').update(json).digest('hex')}`
}

export function toColumns(whole: TaskRecord): Columns {
  const { result, ...record } = whole
  return {
    id: record.id,
    task: exactOrNull(record.task),
    queue: exactOrNull(record.queue),
    state: record.state,
    owner: exactOrNull(record.owner),
    tenant: exactOrNull(record.tenant),
    key: exactOrNull(record.key),
    parent: exactOrNull(record.parentId),
    tags: record.tags.map(exact),
    created: Math.trunc(record.createdAt),
    due: record.dueAt === undefined ? null : Math.trunc(record.dueAt),
    expires: record.expiresAt === undefined ? null : Math.trunc(record.expiresAt),
    words: searchable(whole),
    record: JSON.stringify(record),
    result: result === undefined ? null : JSON.stringify(result),
  }
}

/** The record of a row; `result` only where it was asked for. */
export function fromColumns(row: { readonly record: string; readonly result?: string | null }): TaskRecord {
  // toColumns wrote both
  const record = JSON.parse(row.record) as TaskRecord
  return row.result === undefined || row.result === null ? record : { ...record, result: JSON.parse(row.result) as string }
}

/** The same for a name that may be missing. */
export function exactOrNull(text: string | undefined): string | null {
  return text === undefined ? null : exact(text)
}
