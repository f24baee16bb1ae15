import type { Place } from './order.js'
import type { Client } from './client.js'
import { fromColumns, toColumns } from '../columns.js'
import type { TaskRecord } from '../store.js'

const COLUMNS = `id text, task text, queue text, state text, owner text, tenant text, key text, parent text, tags text[], created bigint,
  due bigint, expires bigint, words text, record text, result text`
const NAMES = 'id, task, queue, state, owner, tenant, key, parent, tags, created, due, expires, words, record, result'
const setsOf = (names: string): string =>
  names
    .split(', ')
    .map((name) => `${name} = x.${name}`)
    .join(', ')
const ALL = setsOf(NAMES.replace('id, ', ''))
/** What changes after a call is known; to parse the others costs as much as all of these. */
const LATER = setsOf('state, due, expires, words, record, result')

/** One version of a row: where it lies, and which transaction wrote it. */
export interface Version {
  readonly place: string
  readonly made: string
}

export interface Row {
  readonly record: TaskRecord
  readonly version: Version
}

/** A row in a form that is to be written. */
export interface Moved extends Row {
  /** What the row says already, which is seen: nothing where that has expired. */
  readonly was: TaskRecord | undefined
}

/** The statements that read and write rows of tasks. None leaves it to the planner how a row is found: see {@link Rows.read}. */
export class Rows {
  readonly #client: Client
  readonly #place: Place

  constructor(client: Client, place: Place) {
    this.#client = client
    this.#place = place
  }

  /**
   * The rows of `ids` that are there. Each is looked up by itself: until a table is analysed for the first time, the planner believes
   * that a namespace has few rows, and would read all of them by any index that begins with it.
   */
  async read(ids: readonly string[], { lock }: { readonly lock: boolean }): Promise<ReadonlyMap<string, Row>> {
    const { schema, namespace } = this.#place
    const { rows } = await this.#client.again(
      `SELECT k.* FROM unnest($2::text[]) AS x(id), LATERAL (
         SELECT t.id, t.record, t.result, t.ctid::text AS place, t.xmin::text AS made FROM ${schema}.task t
         WHERE t.namespace = $1 AND t.id = x.id ${lock ? 'FOR UPDATE' : 'OFFSET 0'}) k`,
      // in one order everywhere, so that nobody waits for each other
      [namespace, [...new Set(ids)].sort()],
    )
    // the columns of the statement, here and below
    const found = rows as (Version & { id: string; record: string; result: string | null })[]
    return new Map(found.map(({ id, record, result, place, made }) => [id, { record: fromColumns({ record, result }), version: { place, made } }]))
  }

  /** Adds those that are not there yet; answers them. */
  async add(records: readonly TaskRecord[]): Promise<ReadonlyMap<string, Version>> {
    const { schema, namespace } = this.#place
    const { rows } = await this.#client.again(
      `INSERT INTO ${schema}.task (namespace, ${NAMES}) SELECT $1, ${NAMES} FROM json_to_recordset($2::json) AS x(${COLUMNS})
       ON CONFLICT DO NOTHING RETURNING id, ctid::text AS place, xmin::text AS made`,
      [namespace, JSON.stringify(byId(records).map(toColumns))],
    )
    return versionsOf(rows)
  }

  /**
   * Writes over those that are still of the version that was read; answers them. A place is found without any index. The last condition
   * always holds: for its sake the planner expects one row, and for the hundred that it expects otherwise it would read the whole table.
   */
  async move(changed: readonly Moved[]): Promise<ReadonlyMap<string, Version>> {
    const isCalled = changed.every(({ was }) => was?.task !== undefined)
    const versions = new Map(changed.map(({ record, version }) => [record.id, version]))
    const written = byId(changed.map(({ record }) => record)).map((record) => {
      const { id, state, due, expires, words, record: text, result, ...names } = toColumns(record)
      return { id, state, due, expires, words, record: text, result, ...versions.get(id), ...(isCalled ? {} : names) }
    })
    const columns = isCalled ? 'id text, state text, due bigint, expires bigint, words text, record text, result text' : COLUMNS
    const { rows } = await this.#client.again(
      `UPDATE ${this.#place.schema}.task t SET ${isCalled ? LATER : ALL}, written = clock_timestamp()
       FROM json_to_recordset($1::json) AS x(${columns}, place tid, made xid)
       WHERE t.ctid = x.place AND t.xmin = x.made AND t.id = x.id AND x.id = x.id || '' RETURNING t.id, t.ctid::text AS place, t.xmin::text AS made`,
      [JSON.stringify(written)],
    )
    return versionsOf(rows)
  }
}

function byId(records: readonly TaskRecord[]): readonly TaskRecord[] {
  return [...records].sort((one, other) => (one.id < other.id ? -1 : 1))
}

function versionsOf(rows: readonly unknown[]): ReadonlyMap<string, Version> {
  return new Map((rows as (Version & { id: string })[]).map(({ id, place, made }) => [id, { place, made }]))
}
