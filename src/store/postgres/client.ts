import type { Client as PgClient } from 'pg'
import { outside } from '../../core/outside.js'
import { ErrandError } from '../../errors.js'

/** The part of a client of `pg` that is used. */
export interface Client {
  /** What is asked before an answer is there is sent at once, where the package can do that; in any case it is carried out in its order. */
  query(sql: string, values?: readonly unknown[]): Promise<{ readonly rows: readonly unknown[] }>
  /** The same for one of the few statements that are asked again and again: the server parses and plans each once for a connection. */
  again(sql: string, values: readonly unknown[]): Promise<{ readonly rows: readonly unknown[] }>
  end(): Promise<void>
}

export interface Connected extends Client {
  /** Resolves when the connection is gone. */
  readonly gone: Promise<void>
}

export interface Hooks {
  /** What `LISTEN` hears. */
  readonly onNotice?: ((payload: string) => void) | undefined
  /** Keeps no process alive. */
  readonly isIdle?: boolean | undefined
}

const CONNECT_MS = 5_000
/** A statement that takes longer hangs on a connection that is gone; each one here takes milliseconds. */
const QUERY_MS = 20_000
/** The locks of a host that vanished in the middle of a transaction are given up after this. */
const IDLE_IN_TRANSACTION_MS = 30_000

/**
 * Connects once. @throws ErrandError `PACKAGE_MISSING`, and what `pg` rejects with
 */
export async function connect(url: string, { onNotice, isIdle = false }: Hooks = {}): Promise<Connected> {
  const { Client: Made } = await loadPg()
  return outside(async () => {
    const client = new Made({
      connectionString: url,
      application_name: 'errand',
      connectionTimeoutMillis: CONNECT_MS,
      query_timeout: QUERY_MS,
      idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS,
      keepAlive: true,
      // where the release of `pg` knows it
      pipeline: true,
    })
    const gone = new Promise<void>((resolve) => {
      client.on('end', resolve)
      // the query under way rejects with it, and the next finds the connection gone
      client.on('error', () => resolve())
    })
    if (onNotice !== undefined) client.on('notification', ({ payload }) => onNotice(payload ?? ''))
    await client.connect()
    try {
      // a committed change survives a power cut, whatever the server is set to
      await client.query("SET synchronous_commit = 'on'")
    } catch (error) {
      await client.end()
      throw error
    }
    // the class of `pg` has it, its types do not
    if (isIdle) (client as { unref?: () => void }).unref?.()
    return { ...queriesOf(client), end: () => client.end(), gone }
  })
}

function queriesOf(client: PgClient): Pick<Client, 'query' | 'again'> {
  const names = new Map<string, string>()
  const nameOf = (sql: string): string => {
    const name = names.get(sql) ?? `errand_${names.size}`
    names.set(sql, name)
    return name
  }
  // a release of `pg` that cannot send ahead warns of a query that is handed in while another is under way
  const isPipelined = (client as { pipeline?: boolean }).pipeline === true
  const inTurn = isPipelined ? <T>(ask: () => Promise<T>): Promise<T> => ask() : oneAfterTheOther()
  return {
    query: (sql, values) => inTurn(() => client.query(sql, values === undefined ? undefined : [...values])),
    again: (sql, values) => inTurn(() => client.query({ name: nameOf(sql), text: sql, values: [...values] })),
  }
}

function oneAfterTheOther(): <T>(ask: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve()
  return (ask) => {
    const answer = last.then(ask)
    last = answer.catch(() => undefined)
    return answer
  }
}

async function loadPg(): Promise<Pick<typeof import('pg'), 'Client'>> {
  try {
    return (await import('pg')).default
  } catch (cause) {
    throw new ErrandError('PACKAGE_MISSING', 'PostgreSQL needs the package pg, which is not installed. Run: npm install pg', {
      cause,
    })
  }
}
