import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { answersAmqp } from './answers-amqp.js'
import { isOpen } from './ports.js'
import { until } from './until.js'

const START_TIMEOUT_MS = 60_000
const PATH = '/usr/sbin:/usr/bin:/sbin:/bin'

/** Where the scripts of a RabbitMQ lie: on this machine, or in a folder with another release of the system. */
export interface RabbitScripts {
  readonly bin: string
  /** The folder that is the whole file system to the server. */
  readonly root?: string | undefined
}

/** One server: its names, its ports, and the folder that holds its data. */
export interface ServerPlan {
  readonly scripts: RabbitScripts
  readonly folder: string
  /** Name before the `@`. */
  readonly name: string
  /** Name after it; an address where there is no name service for it. */
  readonly host: string
  /** The address that clients of this machine use. */
  readonly address: string
  readonly ports: { readonly amqp: number; readonly dist: number; readonly epmd: number }
  /** Further lines of `rabbitmq.conf`. */
  readonly settings?: readonly string[]
  /** An Erlang term for `advanced.config`. */
  readonly advanced?: string | undefined
  /** The network namespace it lives in. */
  readonly netns?: string | undefined
}

/** A RabbitMQ server process on a folder of its own. The name server of the Erlang machine is started by whoever starts this. */
export class RabbitServer {
  readonly #plan: ServerPlan
  readonly #environment: Readonly<Record<string, string>>
  #child: ChildProcess | undefined
  #log = ''

  constructor(plan: ServerPlan) {
    this.#plan = plan
    this.#environment = environmentOf(plan, (name) => join(folderInside(plan), name))
    prepare(plan)
  }

  get url(): string {
    return `amqp://guest:guest@${this.#plan.address}:${this.#plan.ports.amqp}`
  }

  /** Its name in its cluster. */
  get node(): string {
    return `${this.#plan.name}@${this.#plan.host}`
  }

  /** 0 while it does not run. */
  get pid(): number {
    return this.#child?.pid ?? 0
  }

  /** What it printed last. */
  get log(): string {
    return this.#log
  }

  /** Starts the process; `ready` waits until it answers. */
  launch(): void {
    const [command = '', ...args] = this.#wrapped('rabbitmq-server')
    const server = spawn(command, args, { env: this.#environment, stdio: ['ignore', 'pipe', 'pipe'], detached: true })
    this.#child = server
    server.unref()
    for (const stream of [server.stdout, server.stderr]) {
      stream.on('data', (chunk: Buffer) => (this.#log = `${this.#log}${chunk.toString()}`.slice(-4000)))
      if ('unref' in stream && typeof stream.unref === 'function') stream.unref()
    }
  }

  /** Resolves when it speaks AMQP. */
  async ready(): Promise<void> {
    const { address, ports } = this.#plan
    const deadline = Date.now() + START_TIMEOUT_MS
    while (!(await answersAmqp(ports.amqp, address))) {
      if (!this.isRunning || Date.now() > deadline) throw new Error(`RabbitMQ ${this.node} did not start on port ${ports.amqp}:\n${this.#log}`)
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }

  get isRunning(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null
  }

  signal(signal: NodeJS.Signals): void {
    if (this.isRunning) this.#child?.kill(signal)
  }

  /** Sends the signal and waits for its end. */
  async end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child
    if (child === undefined || !this.isRunning) return
    const gone = once(child, 'exit')
    child.ref()
    child.kill(signal)
    await gone
    this.#child = undefined
  }

  /** Runs `rabbitmqctl` with these arguments and answers what it printed. */
  async ctl(...args: readonly string[]): Promise<string> {
    const [command = '', ...rest] = this.#wrapped('rabbitmqctl', ['-q', '-n', this.node, ...args])
    const { stdout } = await promisify(execFile)(command, rest, { env: this.#environment })
    return stdout
  }

  #wrapped(script: string, args: readonly string[] = []): readonly string[] {
    const { scripts, netns, folder } = this.#plan
    const run = [join(scripts.bin, script), ...args]
    const rooted = scripts.root === undefined ? run : ['unshare', '--mount', 'sh', '-c', ENTER, 'enter', scripts.root, folder, ...run]
    return netns === undefined ? rooted : ['ip', 'netns', 'exec', netns, ...rooted]
  }
}

const MOUNT = '/mnt'

/** The folder as the server sees it: another root has a name of its own for it. */
export const folderInside = ({ scripts, folder }: Pick<ServerPlan, 'scripts' | 'folder'>): string =>
  scripts.root === undefined ? folder : MOUNT

/** Each step replaces the process or ends: the process id is the server's in the end. */
const ENTER = [
  'root=$1 folder=$2',
  'shift 2',
  'mount -t proc proc "$root/proc"',
  `mount --bind "$folder" "$root${MOUNT}"`,
  'cp /etc/hosts "$root/etc/hosts"',
  'exec chroot "$root" "$@"',
].join(' && ')

function prepare({ folder, settings = [], advanced, ports, netns }: ServerPlan): void {
  for (const name of ['mnesia', 'log', 'home']) mkdirSync(join(folder, name), { recursive: true })
  writeFileSync(join(folder, 'home/.erlang.cookie'), 'ERRANDTESTCOOKIE', { mode: 0o400 })
  writeFileSync(join(folder, 'enabled_plugins'), '[].\n')
  const lines = [
    `listeners.tcp.1 = ${netns === undefined ? '127.0.0.1' : '0.0.0.0'}:${ports.amqp}`,
    'loopback_users = none',
    'log.file = false',
    'log.console = true',
    'log.console.level = warning',
    'raft.wal_max_size_bytes = 64000000',
    ...settings,
  ]
  writeFileSync(join(folder, 'rabbitmq.conf'), `${lines.join('\n')}\n`)
  if (advanced !== undefined) writeFileSync(join(folder, 'advanced.config'), `${advanced}\n`)
}

function environmentOf({ name, host, ports, advanced, netns }: ServerPlan, inside: (name: string) => string): Record<string, string> {
  const mark = process.env['ERRAND_FAULT_RUN']
  return {
    PATH,
    HOME: inside('home'),
    LANG: 'C.UTF-8',
    RABBITMQ_NODENAME: `${name}@${host}`,
    RABBITMQ_USE_LONGNAME: String(netns !== undefined),
    RABBITMQ_CONF_ENV_FILE: '/dev/null',
    RABBITMQ_CONFIG_FILE: inside('rabbitmq.conf'),
    ...(advanced === undefined ? {} : { RABBITMQ_ADVANCED_CONFIG_FILE: inside('advanced.config') }),
    RABBITMQ_MNESIA_BASE: inside('mnesia'),
    RABBITMQ_LOG_BASE: inside('log'),
    RABBITMQ_ENABLED_PLUGINS_FILE: inside('enabled_plugins'),
    RABBITMQ_DIST_PORT: String(ports.dist),
    // makes the script become the Erlang machine instead of staying in front of it: its pid is the server's
    RUNNING_UNDER_SYSTEMD: 'true',
    ERL_CRASH_DUMP_SECONDS: '0',
    ERL_EPMD_PORT: String(ports.epmd),
    ...(netns === undefined ? { ERL_EPMD_ADDRESS: '127.0.0.1' } : {}),
    ...(mark === undefined ? {} : { ERRAND_FAULT_RUN: mark }),
  }
}

/** The name server of the Erlang machine, on a port of its own: one that starts by itself would stay. */
export function startEpmd(port: number, netns?: string): ChildProcess {
  const run = netns === undefined ? ['epmd', '-port', String(port), '-address', '127.0.0.1'] : ['ip', 'netns', 'exec', netns, 'epmd', '-port', String(port)]
  const [command = '', ...args] = run
  const mark = process.env['ERRAND_FAULT_RUN']
  const env = { PATH, ...(mark === undefined ? {} : { ERRAND_FAULT_RUN: mark }) }
  const epmd = spawn(command, args, { env, stdio: 'ignore', detached: true })
  epmd.unref()
  return epmd
}

/** Resolves when the name server can be asked: a server that finds none starts one itself, which nobody ends. */
export async function epmdAnswers(epmd: ChildProcess, port: number, address: string): Promise<void> {
  await until('the name server of the Erlang machine', async () => {
    if (epmd.exitCode !== null || epmd.signalCode !== null) throw new Error(`epmd did not start on port ${port}`)
    return isOpen(port, address)
  })
}

export async function endProcess(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return
  const gone = once(child, 'exit')
  child.ref()
  child.kill(signal)
  await gone
}
