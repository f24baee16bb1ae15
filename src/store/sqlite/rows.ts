import { applyChange, blank } from '../apply.js'
import type { Run } from '../../core/run.js'
import type { Announced, Change, TaskRecord } from '../store.js'

/** The columns that a record is read from; `result` beside them, where it is wanted. */
export const ROW = 'record, id, task, queue, owner, tenant, key, parent, tags, created, due, expires, run, ended'

/** What {@link ROW} names. A name is JSON, as `exact` wrote it. */
export interface TaskRow {
  readonly record: string | null
  readonly id: string
  readonly task: string | null
  readonly queue: string | null
  readonly owner: string | null
  readonly tenant: string | null
  readonly key: string | null
  readonly parent: string | null
  readonly tags: string
  readonly created: number
  readonly due: number | null
  readonly expires: number | null
  readonly run: string | null
  readonly ended: number | null
  readonly result?: string | null
}

/** Stands for a run that has not begun: a row that grew would have to leave its page. */
export const ROOM_FOR_RUN = ' '.repeat(60)

/** A run as its column has it. Equal runs have equal texts. */
export function runText({ attempt, startedAt, worker }: Run): string {
  return JSON.stringify([attempt, startedAt, worker.pid, worker.host])
}

/** The record of a row. */
export function recordOf(row: TaskRow): TaskRecord {
  // `toColumns` wrote it
  const record = row.record === null ? lived(row) : (JSON.parse(row.record) as TaskRecord)
  const { result } = row
  return result === undefined || result === null ? record : { ...record, result: JSON.parse(result) as string }
}

/** What the changes of a usual life come to. */
function lived(row: TaskRow): TaskRecord {
  const { id } = row
  const run = row.run === null || row.run === ROOM_FOR_RUN ? undefined : readRun(row.run)
  const changes: Change[] = [announced(row)]
  if (run !== undefined) changes.push({ kind: 'started', id, run, at: run.startedAt })
  if (run !== undefined && row.ended !== null) changes.push({ kind: 'completed', id, run, at: row.ended })
  return changes.reduce((known, change) => applyChange(known, change) ?? known, blank(id, row.created))
}

function announced({ id, task, queue, created, ...row }: TaskRow): Announced {
  // a row without a record was announced, and the tags are texts
  const names = { task: nameIn(task) ?? '', queue: nameIn(queue) ?? '', tags: (JSON.parse(row.tags) as string[]).map((tag) => nameIn(tag) ?? '') }
  const who = { owner: nameIn(row.owner), tenant: nameIn(row.tenant), key: nameIn(row.key), parentId: nameIn(row.parent) }
  return { kind: 'announced', id, ...names, ...who, createdAt: created, dueAt: row.due ?? undefined, expiresAt: row.expires ?? undefined }
}

/** What `exact` made of a short name. */
function nameIn(json: string | null): string | undefined {
  return json === null ? undefined : (JSON.parse(json) as string)
}

function readRun(text: string): Run {
  // runText wrote it
  const [attempt, startedAt, pid, host] = JSON.parse(text) as [number, number, number, string]
  return { attempt, startedAt, worker: { host, pid } }
}
