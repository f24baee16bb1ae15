import type { TaskState } from '../core/lifecycle.js'
import { exact } from './columns.js'
import { fold, type ResolvedSearch } from './search.js'

/** Where the two databases differ: an expression with one `?`. */
export interface Dialect {
  readonly hasTag: string
  readonly hasText: string
}

/** The `WHERE` of a search: each `?` in `sql` stands for one of `values`, in order. Values of the user's are nowhere in `sql`. */
export interface Conditions {
  readonly sql: string
  readonly values: (string | number)[]
}

/** What {@link matches} says of a record, for the table of a database. */
export function conditionsOf(search: ResolvedSearch, place: { namespace: string; now: number }, dialect: Dialect): Conditions {
  const { namespace, now } = place
  const parts = ['namespace = ?', '(expires IS NULL OR expires > ?)']
  const values: Conditions['values'] = [namespace, now]
  const add = (sql: string, ...more: Conditions['values']): void => {
    parts.push(sql)
    values.push(...more)
  }
  if (search.states !== undefined) add(...inStates(search.states, now))
  const { task, queue, owner, tenant, key, parentId: parent } = search
  for (const [column, value] of Object.entries({ task, queue, owner, tenant, key, parent })) {
    if (value !== undefined) add(`${column} = ?`, exact(value))
  }
  if (search.tag !== undefined) add(dialect.hasTag, exact(search.tag))
  if (search.text !== undefined) add(dialect.hasText, fold(search.text))
  if (search.from !== undefined) add('created >= ?', Math.ceil(search.from))
  if (search.to !== undefined) add('created < ?', Math.ceil(search.to))
  if (search.after !== undefined) add('(created, id) < (?, ?)', search.after.createdAt, search.after.id)
  return { sql: parts.join(' AND '), values }
}

/** A scheduled task that is due counts as queued. */
function inStates(states: readonly TaskState[], now: number): [string, ...(string | number)[]] {
  const plain = states.filter((state) => state !== 'scheduled')
  const parts = ['1 = 0', ...plain.map(() => 'state = ?')]
  const values: (string | number)[] = [...plain]
  for (const [state, sign] of [['scheduled', '>'], ['queued', '<=']] as const) {
    if (!states.includes(state)) continue
    parts.push(`(state = 'scheduled' AND due ${sign} ?)`)
    values.push(now)
  }
  return [`(${parts.join(' OR ')})`, ...values]
}
