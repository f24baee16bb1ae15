import { ErrandError } from '../errors.js'
import type { Client } from '../store/postgres/client.js'

/** What `LISTEN` of the relays and `NOTIFY` of the callers agree on. */
export const CHANNEL = 'errand_outbox'
export const TABLE = 'errand.errand_outbox'

/** As docs/transactions.md shows it. `seq` is the order of the calls of one transaction; `due` is in milliseconds since the epoch. */
export const OUTBOX_SQL = `CREATE SCHEMA IF NOT EXISTS errand;
CREATE TABLE IF NOT EXISTS errand.errand_outbox (
  seq       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  namespace text NOT NULL,
  id        text NOT NULL,
  queue     text NOT NULL,
  due       bigint,
  priority  smallint NOT NULL,
  body      bytea NOT NULL
);
CREATE INDEX IF NOT EXISTS errand_outbox_turn ON errand.errand_outbox (namespace, seq);`

/** `outbox` as a number: `CREATE … IF NOT EXISTS` fails where two run it at once. */
const LOCK = 0x6f7574626f78
const NOT_ALLOWED = '42501'

/**
 * Makes the table where there is none.
 * @throws ErrandError `DATABASE_REFUSED` when this user may not
 */
export async function makeOutbox(client: Client, shownUrl: string): Promise<void> {
  const { rows } = await client.query('SELECT to_regclass($1) IS NOT NULL AS there', [TABLE])
  // the column of the statement
  if ((rows[0] as { there: boolean }).there) return
  await client.query('BEGIN')
  try {
    await client.query('SELECT pg_advisory_xact_lock($1)', [LOCK])
    await client.query(OUTBOX_SQL)
    await client.query('COMMIT')
  } catch (error) {
    await client.query('ROLLBACK').catch(() => undefined)
    if (error instanceof Error && Reflect.get(error, 'code') === NOT_ALLOWED) throw notAllowed(shownUrl, error)
    throw error
  }
}

function notAllowed(shownUrl: string, cause: unknown): ErrandError {
  return new ErrandError(
    'DATABASE_REFUSED',
    `Cannot make the table ${TABLE} in ${shownUrl}: this user may not. Let the owner of the database run the SQL in ` +
      'docs/transactions.md once, or GRANT CREATE ON DATABASE to this user.',
    { cause },
  )
}
