import { ErrandError } from '../../errors.js'
import type { Client } from './client.js'

/** As the tables of the SQLite store; `written` is the time of the server, by which a watcher finds what it missed. */
const FIRST = `
CREATE TABLE task (
  namespace text COLLATE "C" NOT NULL,
  id        text COLLATE "C" NOT NULL,
  task      text COLLATE "C",
  queue     text COLLATE "C",
  state     text COLLATE "C" NOT NULL,
  owner     text COLLATE "C",
  tenant    text COLLATE "C",
  key       text COLLATE "C",
  parent    text COLLATE "C",
  tags      text[] NOT NULL,
  created   bigint NOT NULL,
  due       bigint,
  expires   bigint,
  written   timestamptz NOT NULL DEFAULT clock_timestamp(),
  words     text NOT NULL,
  record    text NOT NULL,
  result    text,
  PRIMARY KEY (namespace, id)
) WITH (fillfactor = 80);
CREATE INDEX task_created ON task (namespace, created, id);
CREATE INDEX task_state ON task (namespace, state, created, id);
CREATE INDEX task_owner ON task (namespace, owner, created, id) WHERE owner IS NOT NULL;
CREATE INDEX task_written ON task (namespace, written);
CREATE INDEX task_expires ON task (expires) WHERE expires IS NOT NULL;

CREATE TABLE task_key (
  namespace text COLLATE "C" NOT NULL,
  key       text COLLATE "C" NOT NULL,
  id        text COLLATE "C" NOT NULL,
  PRIMARY KEY (namespace, key)
);
CREATE INDEX task_key_id ON task_key (namespace, id);
`

/** Every version of the tables. A change is a new entry at the end. */
const VERSIONS = [FIRST]
/** `errand` as a number: the lock under which one process at a time changes tables. */
const LOCK = 0x657272616e64

/**
 * Brings the tables in `schema` up to date; of several processes that try at once, one does it. A user that may not change tables can
 * use those that are up to date.
 * @throws ErrandError `DRIVER_UNSUPPORTED` when a newer version of this library made the tables
 */
export async function migratePostgres(client: Client, schema: string): Promise<void> {
  if ((await versionOf(client, schema)) === VERSIONS.length) return
  await client.query('BEGIN')
  try {
    await client.query('SELECT pg_advisory_xact_lock($1)', [LOCK])
    await client.query(`CREATE SCHEMA IF NOT EXISTS ${schema}`)
    await client.query(`CREATE TABLE IF NOT EXISTS ${schema}.errand_schema (part text PRIMARY KEY, version int NOT NULL)`)
    const current = await versionOf(client, schema)
    await client.query(`SET LOCAL search_path = ${schema}`)
    for (const sql of VERSIONS.slice(current)) await client.query(sql)
    await client.query(
      "INSERT INTO errand_schema VALUES ('store', $1) ON CONFLICT (part) DO UPDATE SET version = EXCLUDED.version",
      [VERSIONS.length],
    )
    await client.query('COMMIT')
  } catch (error) {
    await client.query('ROLLBACK').catch(() => undefined)
    throw error
  }
}

async function versionOf(client: Client, schema: string): Promise<number> {
  const { rows: tables } = await client.query('SELECT to_regclass($1) IS NOT NULL AS there', [`${schema}.errand_schema`])
  // the columns of the statements, here and below
  if (!(tables[0] as { there: boolean }).there) return 0
  const { rows } = await client.query(`SELECT version FROM ${schema}.errand_schema WHERE part = 'store'`)
  const version = (rows[0] as { version: number } | undefined)?.version ?? 0
  if (version <= VERSIONS.length) return version
  throw new ErrandError(
    'DRIVER_UNSUPPORTED',
    `Cannot use the schema ${schema}: its store tables have version ${version}, and this release knows ${VERSIONS.length}. ` +
      'A newer release made them: upgrade errand in every process that shares the database.',
  )
}
