import type { ChildProcess } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from './free-port.js'
import { Guard, quoted } from './guard.js'
import { layNetwork, type Network } from './network.js'
import type { RabbitNode } from './rabbit-node.js'
import { endProcess, epmdAnswers, RabbitServer, startEpmd, type RabbitScripts, type ServerPlan } from './rabbit-server.js'
import { until } from './until.js'

const SIZE = 3
const START_TIMEOUT_MS = 90_000

/** Seconds without a sign of life after which nodes take each other for dead. */
const NET_TICK_SECONDS = 5

export interface ClusterNode extends Omit<RabbitNode, keyof AsyncDisposable> {
  /** Its name in the cluster. */
  readonly name: string
  /** Begins the start without waiting for its end. */
  launch(): void
  /** Stops the process as it is; its connections stay open and silent. */
  freeze(): void
  thaw(): void
  /** Takes away the way to the other nodes; clients still reach it. Needs a cluster with `partitions`. */
  part(): Promise<void>
  /** Undoes {@link part}. */
  heal(): Promise<void>
  /** Takes the node off the network: nobody reaches it, and nobody is told. Needs a cluster with `partitions`. */
  cut(): Promise<void>
  /** Undoes {@link cut}. */
  join(): Promise<void>
}

/** Three RabbitMQ servers that are one. Gone when this process is gone. */
export interface RabbitCluster extends AsyncDisposable {
  readonly nodes: readonly ClusterNode[]
  readonly urls: readonly string[]
  /** Resolves when every node answers and every quorum queue has all its members online. */
  whole(patienceMs?: number): Promise<void>
  /** The node on which the leader of a queue is; `queue` is the name on the server. */
  leaderOf(queue: string): Promise<ClusterNode>
}

export interface ClusterOptions {
  readonly scripts: RabbitScripts
  readonly advanced?: string | undefined
  /** Every node gets a network of its own, so that it can be parted from the others. Needs root. @defaultValue false */
  readonly partitions?: boolean | undefined
  /** Whether the servers are of 4.x, which refuses a setting that 3.x needs for a quick start. @defaultValue false */
  readonly isRecent?: boolean | undefined
}

/** Starts three nodes; resolves when they are one cluster. */
export async function startRabbitCluster(options: ClusterOptions): Promise<RabbitCluster> {
  const cluster = new Cluster(options)
  try {
    await cluster.open()
    return cluster
  } catch (error) {
    await cluster[Symbol.asyncDispose]()
    throw error
  }
}

class Cluster implements RabbitCluster {
  nodes: readonly Member[] = []
  readonly #options: ClusterOptions
  readonly #folder = mkdtempSync(join(tmpdir(), 'errand-cluster-'))
  readonly #guard = new Guard()
  readonly #epmds: ChildProcess[] = []
  #network: Network | undefined

  constructor(options: ClusterOptions) {
    this.#options = options
  }

  get urls(): readonly string[] {
    return this.nodes.map(({ url }) => url)
  }

  async open(): Promise<void> {
    if (this.#options.partitions === true) {
      const network = layNetwork(SIZE)
      this.#network = network
      this.#guard.watch(network.undo)
    }
    const plans = await this.#plans()
    for (const { ports, netns, address } of netnsOrOne(plans)) {
      const epmd = startEpmd(ports.epmd, netns)
      this.#epmds.push(epmd)
      await epmdAnswers(epmd, ports.epmd, address)
    }
    this.nodes = plans.map((plan, index) => new Member(new RabbitServer(plan), this.#network, index, () => this.#watch()))
    await Promise.all(this.nodes.map((node) => node.restart()))
    await this.whole(START_TIMEOUT_MS)
  }

  async whole(patienceMs = START_TIMEOUT_MS): Promise<void> {
    await until('three nodes in one cluster, with all members of all queues', () => this.#isWhole(), patienceMs)
  }

  async leaderOf(queue: string): Promise<ClusterNode> {
    const named = `rabbit_misc:r(<<"/">>, queue, <<"${queue}">>)`
    const expression = `{ok, Q} = rabbit_amqqueue:lookup(${named}), [{leader, L}] = rabbit_quorum_queue:info(Q, [leader]), L.`
    return until(
      `the leader of ${queue}`,
      async () => {
        const answer = await this.#ask(expression)
        // printed in quotes where the name is an address
        return this.nodes.find(({ name, pid }) => pid !== 0 && answer.trim().replaceAll("'", '') === name)
      },
      START_TIMEOUT_MS,
    )
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const node of this.nodes) node.thaw()
    await Promise.all(this.nodes.map((node) => node.kill9()))
    await Promise.all(this.#epmds.map((epmd) => endProcess(epmd, 'SIGKILL')))
    await this.#network?.remove()
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 10 })
    this.#guard.end()
  }

  async #isWhole(): Promise<boolean> {
    const running = `length(rabbit_nodes:list_running())`
    const queues = `[Q || Q <- rabbit_amqqueue:list(), amqqueue:get_type(Q) =:= rabbit_quorum_queue]`
    const online = `lists:all(fun(Q) -> [{online, O}] = rabbit_quorum_queue:info(Q, [online]), length(O) =:= ${SIZE} end, ${queues})`
    const count = this.#options.isRecent === true ? running : 'length(rabbit_mnesia:cluster_nodes(running))'
    const answer = await this.#ask(`{${count}, ${online}}.`)
    return answer.trim() === `{${SIZE},true}`
  }

  /** The answer of the first node that has one; an empty text when none has. */
  async #ask(expression: string): Promise<string> {
    for (const node of this.nodes.filter(({ pid }) => pid !== 0)) {
      const answer = await node.eval(expression).catch(() => '')
      if (answer !== '') return answer
    }
    return ''
  }

  async #plans(): Promise<readonly ServerPlan[]> {
    const { scripts, advanced, isRecent = false } = this.#options
    const network = this.#network
    const epmd = await freePort()
    const drafts = await Promise.all(
      Array.from({ length: SIZE }, async (_, index) => {
        const place = network?.places[index]
        const folder = join(this.#folder, String(index + 1))
        mkdirSync(folder)
        if (place !== undefined) {
          const ports = { amqp: 5672, dist: 25_672, epmd: 4369 }
          return { folder, name: `errand${index + 1}`, host: place.address, address: place.address, ports, netns: place.netns }
        }
        const ports = { amqp: await freePort(), dist: await freePort(), epmd }
        return { folder, name: `errand${ports.amqp}`, host: 'localhost', address: '127.0.0.1', ports }
      }),
    )
    const settings = clusterSettings(drafts.map(({ name, host }) => `${name}@${host}`), isRecent)
    return drafts.map((draft) => ({ ...draft, scripts, advanced, settings }))
  }

  /** Process ids change at every start. */
  #watch(): void {
    const pids = [...this.nodes.map(({ pid }) => pid), ...this.#epmds.map(({ pid }) => pid ?? 0)].filter((pid) => pid !== 0)
    const kill = pids.length === 0 ? [] : [`kill -9 ${pids.join(' ')} 2>/dev/null`]
    this.#guard.watch([...kill, ...(this.#network?.undo ?? []), `rm -rf ${quoted(this.#folder)}`])
  }
}

class Member implements ClusterNode {
  readonly #server: RabbitServer
  readonly #network: Network | undefined
  readonly #index: number
  readonly #onLaunch: () => void

  constructor(server: RabbitServer, network: Network | undefined, index: number, onLaunch: () => void) {
    this.#server = server
    this.#network = network
    this.#index = index
    this.#onLaunch = onLaunch
  }

  get name(): string {
    return this.#server.node
  }

  get url(): string {
    return this.#server.url
  }

  get pid(): number {
    return this.#server.isRunning ? this.#server.pid : 0
  }

  launch(): void {
    this.#server.launch()
    this.#onLaunch()
  }

  async kill9(): Promise<void> {
    await this.#server.end('SIGKILL')
  }

  async stop(): Promise<void> {
    await this.#server.end('SIGTERM')
  }

  async restart(): Promise<void> {
    await this.stop()
    this.launch()
    await this.#server.ready()
  }

  freeze(): void {
    this.#server.signal('SIGSTOP')
  }

  thaw(): void {
    this.#server.signal('SIGCONT')
  }

  part = (): Promise<void> => this.#net().part(this.#index)
  heal = (): Promise<void> => this.#net().heal(this.#index)
  cut = (): Promise<void> => this.#net().cut(this.#index)
  join = (): Promise<void> => this.#net().join(this.#index)

  ctl(...args: readonly string[]): Promise<string> {
    return this.#server.ctl(...args)
  }

  eval(expression: string): Promise<string> {
    return this.ctl('eval', expression)
  }

  #net(): Network {
    if (this.#network === undefined) throw new Error('only a cluster with partitions can be taken apart')
    return this.#network
  }
}

/** Nodes of one machine share a name server; each network needs one of its own. */
function netnsOrOne(plans: readonly ServerPlan[]): readonly ServerPlan[] {
  return plans[0]?.netns === undefined ? plans.slice(0, 1) : plans
}

function clusterSettings(nodes: readonly string[], isRecent: boolean): readonly string[] {
  return [
    'cluster_formation.peer_discovery_backend = classic_config',
    ...nodes.map((node, index) => `cluster_formation.classic_config.nodes.${index + 1} = ${node}`),
    'cluster_formation.discovery_retry_interval = 200',
    // 4.x does not start with these two
    ...(isRecent ? [] : ['cluster_formation.randomized_startup_delay_range.min = 0', 'cluster_formation.randomized_startup_delay_range.max = 1']),
    'cluster_partition_handling = pause_minority',
    `net_ticktime = ${NET_TICK_SECONDS}`,
  ]
}
