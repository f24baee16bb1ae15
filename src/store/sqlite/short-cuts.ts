import type { Database, Statement } from '../../sqlite/driver.js'
import type { Run } from '../../core/run.js'
import { prepareAll } from '../../sqlite/prepare.js'
import { exact, exactOrNull } from '../columns.js'
import { searchable } from '../search.js'
import type { Announced, Change, Recorded } from '../store.js'
import type { Owners } from './owners.js'
import { ROOM_FOR_RUN, runText } from './rows.js'

const SQL = {
  announce: `INSERT INTO store_task (namespace, id, task, queue, state, owner, tenant, key, parent, tags, created, due, expires, words, run)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, '${ROOM_FOR_RUN}') ON CONFLICT DO NOTHING`,
  start: `UPDATE store_task SET state = 'running', due = NULL, run = ?
          WHERE namespace = ? AND id = ? AND state = 'queued' AND record IS NULL AND (expires IS NULL OR expires > ?)`,
  startUnless: `UPDATE store_task SET state = 'running', due = NULL, run = ?
                WHERE namespace = ? AND id = ? AND state = 'queued' AND record IS NULL AND (expires IS NULL OR expires > ?)
                  AND task NOT IN (SELECT value FROM json_each(?))`,
  complete: `UPDATE store_task SET state = 'completed', ended = ?, expires = ?, result = ?
             WHERE namespace = ? AND id = ? AND state = 'running' AND run = ? AND (expires IS NULL OR expires > ?)`,
  setKey: 'INSERT OR REPLACE INTO store_key VALUES (?, ?, ?)',
} as const

type Of<K extends Change['kind']> = Extract<Change, { kind: K }>

/**
 * The changes of a usual life, written without reading what was there: each under the condition that it is what `applyChange` would allow
 * the change after.
 */
export class ShortCuts {
  readonly #namespace: string
  readonly #sql: Readonly<Record<keyof typeof SQL, Statement>>
  readonly #owners: Owners
  /** The names of `except` as they are bound. */
  #listed = { size: 0, list: '[]' }

  constructor(db: Database, namespace: string, owners: Owners) {
    this.#namespace = namespace
    this.#sql = prepareAll(db, SQL)
    this.#owners = owners
  }

  /** What became of a change that was applied; `undefined` where its task has to be read first. */
  apply(change: Change, now: number): Recorded | undefined {
    switch (change.kind) {
      case 'announced':
        return this.#announce(change)
      case 'started':
        return this.#start(change, now)
      case 'completed':
        return this.#complete(change, now)
      default:
        return undefined
    }
  }

  /** As a change that began it would; answers `false`, and changes nothing, where the task has to be read first or is one of `except`. */
  begin(id: string, run: Run, { except, now }: { readonly except: ReadonlySet<string>; readonly now: number }): boolean {
    const { start, startUnless } = this.#sql
    const values = [runText(run), this.#namespace, id, now] as const
    const { changes } = except.size === 0 ? start.run(...values) : startUnless.run(...values, this.#listOf(except))
    return Number(changes) > 0
  }

  #listOf(names: ReadonlySet<string>): string {
    // it only grows
    if (this.#listed.size !== names.size) this.#listed = { size: names.size, list: JSON.stringify([...names].map(exact)) }
    return this.#listed.list
  }

  #announce(change: Announced): Recorded | undefined {
    // there are no columns for these
    if (change.isReadOnce === true || change.memo !== undefined || change.sendingUntil !== undefined) return undefined
    const { id, key, tags = [], createdAt, dueAt = null, expiresAt = null } = change
    const [task, queue, owner, tenant] = [exact(change.task), exact(change.queue), exactOrNull(change.owner), exactOrNull(change.tenant)]
    const [exactKey, parent, listed] = [exactOrNull(key), exactOrNull(change.parentId), tags.map(exact)]
    if (![task, queue, owner, tenant, exactKey, parent].every(isReadable) || !listed.every(isReadable)) return undefined
    const state = dueAt !== null && dueAt > createdAt ? 'scheduled' : 'queued'
    const list = listed.length === 0 ? '[]' : JSON.stringify(listed)
    const words = searchable(change)
    const { announce, setKey } = this.#sql
    const names = [task, queue, state, owner, tenant, exactKey, parent, list] as const
    const { changes, lastInsertRowid } = announce.run(this.#namespace, id, ...names, createdAt, dueAt, expiresAt, words)
    if (Number(changes) === 0) return undefined
    this.#owners.add(Number(lastInsertRowid))
    if (exactKey !== null) setKey.run(this.#namespace, exactKey, id)
    return { applied: true, state }
  }

  #start({ id, run, at, expiresAt }: Of<'started'>, now: number): Recorded | undefined {
    if (at !== run.startedAt || expiresAt !== undefined) return undefined
    const { changes } = this.#sql.start.run(runText(run), this.#namespace, id, now)
    return Number(changes) === 0 ? undefined : { applied: true, state: 'running' }
  }

  #complete({ id, run, at, expiresAt, result }: Of<'completed'>, now: number): Recorded | undefined {
    if (expiresAt === undefined) return undefined
    const kept = result === undefined ? null : JSON.stringify(result)
    const { changes } = this.#sql.complete.run(at, expiresAt, kept, this.#namespace, id, runText(run), now)
    return Number(changes) === 0 ? undefined : { applied: true, state: 'completed' }
  }
}

/** Not of a digest. */
const isReadable = (text: string | null): boolean => text === null || text.startsWith('"')
