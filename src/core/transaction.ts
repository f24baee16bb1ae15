/** Something that runs SQL as a client of `pg` does: `$1` stands for the first value. */
interface QueryClient {
  query(text: string, values: (string | number | null | Buffer)[]): PromiseLike<unknown>
}

/** Something that runs SQL as a transaction of knex does: `?` stands for the next value. */
interface RawClient {
  raw(text: string, values: readonly (string | number | null | Buffer)[]): PromiseLike<unknown>
}

/**
 * The connection on which the application has begun a PostgreSQL transaction: a client of `pg` after `BEGIN`, a transaction of knex,
 * or anything with the `query(text, values)` of the one or the `raw(text, values)` of the other. Never a pool.
 */
export type TransactionClient = QueryClient | RawClient

/** A transaction within which calls are sent. */
export interface OpenTransaction {
  readonly client: TransactionClient
  /** Whether the application still runs what belongs to it. */
  isOpen: boolean
}
