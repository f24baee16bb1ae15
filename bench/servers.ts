import { connect } from '#src/store/postgres/client.js'
import { loadKit } from './kit.js'
import { startRedis } from './redis-server.js'
import type { ServerKind, System } from './system.js'

/** A server of this run, private to it. */
export interface Server {
  readonly url: string
  /** Its process; its children belong to it. */
  readonly pid: number
  readonly version: string
  /** Deletes what systems left there, which would burden the next. Missing where what is left lies still. */
  clear?(): Promise<unknown>
}

interface RabbitNode extends AsyncDisposable {
  readonly url: string
  readonly pid: number
  ctl(...args: readonly string[]): Promise<string>
  eval(expression: string): Promise<string>
}

const DELETE_QUEUES = 'lists:foreach(fun(Q) -> rabbit_amqqueue:delete(Q, false, false, <<"bench">>) end, rabbit_amqqueue:list()).'

const SCHEMAS = "SELECT quote_ident(nspname) AS name FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname NOT IN ('information_schema', 'public')"

interface PostgresKit {
  readonly ownPostgresServer: (options: { readonly isDurable: boolean }) => Promise<Server & AsyncDisposable>
}

type Starts = Readonly<Record<ServerKind, () => Promise<Server & AsyncDisposable>>>

/** The servers that the chosen systems need, started when the first one asks. */
export class Servers {
  readonly #starts: Starts
  /** Also those that did not start, which are not tried again. */
  readonly #started = new Map<ServerKind, Promise<Server>>()
  readonly #open = new Map<ServerKind, Server & AsyncDisposable>()

  constructor(starts = STARTS) {
    this.#starts = starts
  }

  /** Starts what is missing for `systems`. */
  async open(systems: readonly System[]): Promise<void> {
    for (const system of systems) await this.of(system)
  }

  /** Of those that are open. */
  urls(): Partial<Record<ServerKind, string>> {
    return Object.fromEntries([...this.#open].map(([kind, { url }]) => [kind, url]))
  }

  /** The one it works on, then that of its states; none for a system without. */
  async of({ server, store }: System): Promise<readonly Server[]> {
    const all: Server[] = []
    for (const kind of [server, store]) if (kind !== undefined) all.push(await this.#get(kind))
    return all
  }

  /** Of those that are open. */
  versions(): readonly string[] {
    return [...this.#open.values()].map(({ version }) => version)
  }

  async close(): Promise<void> {
    const all = [...this.#open.values()]
    this.#open.clear()
    for (const server of all) await server[Symbol.asyncDispose]()
  }

  #get(kind: ServerKind): Promise<Server> {
    const known = this.#started.get(kind)
    if (known !== undefined) return known
    const starting = this.#start(kind)
    this.#started.set(kind, starting)
    return starting
  }

  async #start(kind: ServerKind): Promise<Server> {
    const server = await this.#starts[kind]()
    this.#open.set(kind, server)
    return server
  }
}

/** How a server of each kind is started. */
const STARTS: Starts = {
  rabbitmq: startRabbit,
  redis: () => startRedis([]),
  'redis-aof': () => startRedis(['--appendonly', 'yes', '--appendfsync', 'everysec']),
  postgres: startPostgres,
}

async function startRabbit(): Promise<Server & AsyncDisposable> {
  const { startRabbitNode } = await loadKit<{ readonly startRabbitNode: () => Promise<RabbitNode> }>('rabbitmq')
  const node = await startRabbitNode()
  const version = await node.ctl('version')
  return {
    url: node.url,
    pid: node.pid,
    version: `RabbitMQ ${version.trim()}`,
    clear: () => node.eval(DELETE_QUEUES),
    [Symbol.asyncDispose]: () => node[Symbol.asyncDispose](),
  }
}

async function startPostgres(): Promise<Server & AsyncDisposable> {
  const { ownPostgresServer } = await loadKit<PostgresKit>('postgres')
  const server = await ownPostgresServer({ isDurable: true })
  const { url, pid, version } = server
  return { url, pid, version, clear: () => dropSchemas(url), [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() }
}

/** What is left in tables is vacuumed while the next system is measured, and Errand would find its own again. */
async function dropSchemas(url: string): Promise<void> {
  const client = await connect(url)
  try {
    // the columns of the statement
    const rows = (await client.query(SCHEMAS)).rows as readonly { readonly name: string }[]
    for (const { name } of rows) await client.query(`DROP SCHEMA ${name} CASCADE`)
  } finally {
    await client.end()
  }
}
