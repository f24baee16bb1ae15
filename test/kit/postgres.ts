import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { startPostgresServer, type PostgresOptions, type PostgresServer } from './postgres-server.js'

interface Found {
  readonly url?: string
  readonly bin?: string
  readonly missing?: string
}

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
const found = await findServer()

/**
 * Like `describe`, for tests that need PostgreSQL. Without a server the tests fail in CI, and elsewhere are left out with a line that
 * says what is missing. `own` says that the tests start servers of their own, for which one at $POSTGRES_URL is of no use.
 */
export function describePostgres(title: string, body: (this: Mocha.Suite) => void, needs: { own?: boolean } = {}): void {
  const isThere = found.bin !== undefined || (found.url !== undefined && needs.own !== true)
  if (isThere) {
    describe(title, body)
    return
  }
  const why = found.missing ?? 'these tests start PostgreSQL servers of their own, and there is only the one at $POSTGRES_URL'
  if (process.env['CI'] !== undefined && found.missing !== undefined) {
    describe(title, () => it('finds a PostgreSQL server', () => Promise.reject(new Error(why))))
    return
  }
  process.stderr.write(`left out: ${title}: ${why}\n`)
}

/** A new server for one test that kills it, or for the bench. The caller disposes of it. */
export async function ownPostgresServer(options: PostgresOptions = {}): Promise<PostgresServer> {
  if (found.bin === undefined) throw new Error(found.missing ?? 'no server from which one could be started')
  return startPostgresServer(found.bin, options)
}

let shared: Promise<PostgresServer> | undefined

/**
 * The address of the one server of this test run, started by the first who asks and ended with the run. Give every test a schema of
 * its own ({@link freshSchema}); never stop this server.
 */
export async function sharedPostgresUrl(): Promise<string> {
  if (found.url !== undefined) return found.url
  shared ??= ownPostgresServer()
  return (await shared).url
}

/** A schema nobody else has. */
export const freshSchema = (): string => `t${randomUUID().replaceAll('-', '').slice(0, 16)}`

if (typeof after === 'function') {
  after('end the shared PostgreSQL server', async () => {
    const server = await shared?.catch(() => undefined)
    shared = undefined
    await server?.[Symbol.asyncDispose]()
  })
}

async function findServer(): Promise<Found> {
  const run = promisify(execFile)(process.execPath, ['scripts/postgres.mjs', '--json'], { cwd: ROOT })
  const { stdout } = await run.catch((error: unknown) => {
    // a failed run of execFile carries what the program printed
    return { stdout: (error as { stdout?: string }).stdout ?? '' }
  })
  if (stdout.trim() === '') return { missing: 'scripts/postgres.mjs did not say what it found' }
  // the script prints this form
  return JSON.parse(stdout) as Found
}
