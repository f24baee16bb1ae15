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

interface PostgresKit {
  readonly ownPostgresServer: (options: { readonly isDurable: boolean }) => Promise<Server & AsyncDisposable>
}

/** The servers that the chosen systems need, started when the first one asks. */
export class Servers {
  readonly #started = new Map<ServerKind, Promise<Server>>()
  readonly #open: AsyncDisposable[] = []

  /** Starts what is missing for `systems`. */
  async open(systems: readonly System[]): Promise<void> {
    for (const { server } of systems) if (server !== undefined) await this.#get(server)
  }

  async urls(): Promise<Partial<Record<ServerKind, string>>> {
    const urls: Partial<Record<ServerKind, string>> = {}
    for (const [kind, server] of this.#started) urls[kind] = (await server).url
    return urls
  }

  /** `undefined` for a system without one. */
  async of({ server }: System): Promise<Server | undefined> {
    return server === undefined ? undefined : this.#get(server)
  }

  async versions(): Promise<readonly string[]> {
    return Promise.all([...this.#started.values()].map(async (server) => (await server).version))
  }

  async close(): Promise<void> {
    for (const server of this.#open.splice(0)) await server[Symbol.asyncDispose]()
  }

  #get(kind: ServerKind): Promise<Server> {
    const known = this.#started.get(kind)
    if (known !== undefined) return known
    const starting = this.#start(kind)
    this.#started.set(kind, starting)
    return starting
  }

  async #start(kind: ServerKind): Promise<Server> {
    const server = await STARTS[kind]()
    this.#open.push(server)
    return server
  }
}

/** How a server of each kind is started. */
const STARTS: Readonly<Record<ServerKind, () => Promise<Server & AsyncDisposable>>> = {
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
  return { url: server.url, pid: server.pid, version: server.version, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() }
}
