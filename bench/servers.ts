import type { ServerKind, System } from './system.js'

/** A server of this run, private to it. */
export interface Server {
  readonly url: string
  /** Its process; its children belong to it. */
  readonly pid: number
  readonly version: string
}

interface RabbitNode extends AsyncDisposable {
  readonly url: string
  readonly pid: number
  ctl(...args: readonly string[]): Promise<string>
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
    if (kind !== 'rabbitmq') throw new Error(`no ${kind} can be started yet`)
    // the kit of the tests is compiled beside this program
    const kit = (await import(new URL('../test/kit/rabbitmq.js', import.meta.url).href)) as { startRabbitNode(): Promise<RabbitNode> }
    const node = await kit.startRabbitNode()
    this.#open.push(node)
    const version = await node.ctl('version')
    return { url: node.url, pid: node.pid, version: `RabbitMQ ${version.trim()}` }
  }
}
