import { conditionsOf, type Conditions, type Dialect } from '../conditions.js'
import type { ResolvedSearch } from '../search.js'
import { ROW } from './rows.js'

const DIALECT: Dialect = {
  hasTag: 'EXISTS (SELECT 1 FROM json_each(tags) WHERE value = ?)',
  hasText: 'instr(words, ?) > 0',
}

const IN_ORDER = 'ORDER BY created DESC, id DESC LIMIT ?'

/** The whole query of a search, of one more row than `limit`. */
export function queryOf(search: ResolvedSearch, place: { namespace: string; now: number }): Conditions {
  const { sql, values } = conditionsOf(search, place, DIALECT)
  const limit = search.limit + 1
  if (search.owner !== undefined) return { sql: ofOwner(sql), values: [...values, limit, ...values, limit, limit] }
  // says nothing that the states do not, but by these words SQLite finds the index of what has not completed
  const unended = search.states?.includes('completed') === false ? ' AND ended IS NULL' : ''
  return { sql: `SELECT ${ROW} FROM store_task WHERE ${sql}${unended} ${IN_ORDER}`, values: [...values, limit] }
}

/**
 * The tasks that are listed by owner, in their order, and those that are not yet. In one statement: between two, another process could move
 * some from here to there.
 */
function ofOwner(conditions: string): string {
  const listed = `store_owner CROSS JOIN store_task USING (namespace, owner, created, number) WHERE ${conditions}`
  const unlisted = `store_task NOT INDEXED WHERE number > (SELECT number FROM store_listed) AND ${conditions}`
  const each = [listed, unlisted].map((rows) => `SELECT * FROM (SELECT ${ROW} FROM ${rows} ${IN_ORDER})`)
  return `${each.join(' UNION ALL ')} ${IN_ORDER}`
}
