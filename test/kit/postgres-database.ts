import pg from 'pg'
import { freshSchema, sharedPostgresUrl } from './postgres.js'
import type { Scope } from './temporary.js'

/** A database of this test alone, on the shared server. */
export interface TestDatabase {
  readonly url: string
  /** A pool of the application; it is ended with the test. */
  pool(max?: number): pg.Pool
  /** Runs one statement on a connection of its own. */
  rows<R extends pg.QueryResultRow>(sql: string, values?: readonly unknown[]): Promise<readonly R[]>
}

export async function freshDatabase(scope: Scope): Promise<TestDatabase> {
  const name = freshSchema()
  const server = await sharedPostgresUrl()
  await once(server, `CREATE DATABASE ${name}`)
  scope.defer(() => once(server, `DROP DATABASE ${name} WITH (FORCE)`))
  const url = Object.assign(new URL(server), { pathname: `/${name}` }).href
  return {
    url,
    pool: (max = 4) => {
      const pool = new pg.Pool({ connectionString: url, max })
      pool.on('error', () => {}) // tests end connections on purpose
      scope.defer(() => pool.end())
      return pool
    },
    rows: (sql, values) => once(url, sql, values),
  }
}

async function once<R extends pg.QueryResultRow>(url: string, sql: string, values: readonly unknown[] = []): Promise<readonly R[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query<R>(sql, [...values])).rows
  } finally {
    await client.end()
  }
}
