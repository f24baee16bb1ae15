import { outside } from '../../core/outside.js'
import { ErrandError } from '../../errors.js'

/** The part of a client of `pg` that is used. */
export interface Client {
  query(sql: string, values?: readonly unknown[]): Promise<{ readonly rows: readonly unknown[] }>
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
  const { Client: PgClient } = await loadPg()
  return outside(async () => {
    const client = new PgClient({
      connectionString: url,
      application_name: 'errand',
      connectionTimeoutMillis: CONNECT_MS,
      query_timeout: QUERY_MS,
      idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS,
      keepAlive: true,
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
    return { query: (sql, values) => client.query(sql, values === undefined ? undefined : [...values]), end: () => client.end(), gone }
  })
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
