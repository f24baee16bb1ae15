import { spawn, execFile, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { freePort } from './free-port.js'

const START_TIMEOUT_MS = 60_000
const PATH = '/usr/sbin:/usr/bin:/sbin:/bin'

/** A RabbitMQ server of its own: own data, own ports, own name server of the Erlang machine. Gone when this process is gone. */
export interface RabbitNode extends AsyncDisposable {
  readonly url: string
  /** Process id of the server; another one after a restart. */
  readonly pid: number
  /** Kills the server as a power cut would. */
  kill9(): Promise<void>
  /** Ends the server in good order; its data stays. */
  stop(): Promise<void>
  /** Starts it again on its data, and resolves when it answers; ends it first when it runs. */
  restart(): Promise<void>
  /** Runs `rabbitmqctl` with these arguments and answers what it printed. */
  ctl(...args: readonly string[]): Promise<string>
  /** Evaluates an Erlang expression in the server. */
  eval(expression: string): Promise<string>
}

/** Starts a private node from the scripts in `bin`; resolves when it speaks AMQP. `advanced` is an Erlang term for `advanced.config`. */
export async function startRabbitNode(bin: string, advanced?: string): Promise<RabbitNode> {
  const node = new InstalledNode(bin, {
    amqp: await freePort(),
    dist: await freePort(),
    epmd: await freePort(),
  })
  node.prepare(advanced)
  try {
    await node.start()
  } catch (error) {
    await node[Symbol.asyncDispose]()
    throw error
  }
  return node
}

interface Ports {
  readonly amqp: number
  readonly dist: number
  readonly epmd: number
}

class InstalledNode implements RabbitNode {
  readonly #bin: string
  readonly #ports: Ports
  readonly #folder = mkdtempSync(join(tmpdir(), 'errand-rabbit-'))
  #environment: Record<string, string> = {}
  #epmd: ChildProcess | undefined
  #server: ChildProcess | undefined
  #guard: ChildProcess | undefined
  #log = ''

  constructor(bin: string, ports: Ports) {
    this.#bin = bin
    this.#ports = ports
  }

  get url(): string {
    return `amqp://guest:guest@127.0.0.1:${this.#ports.amqp}`
  }

  get pid(): number {
    return this.#server?.pid ?? 0
  }

  prepare(advanced: string | undefined): void {
    const at = (name: string): string => join(this.#folder, name)
    for (const folder of ['mnesia', 'log', 'home']) mkdirSync(at(folder))
    writeFileSync(at('home/.erlang.cookie'), 'ERRANDTESTCOOKIE', { mode: 0o400 })
    writeFileSync(at('enabled_plugins'), '[].\n')
    writeFileSync(at('rabbitmq.conf'), configuration(this.#ports.amqp))
    if (advanced !== undefined) writeFileSync(at('advanced.config'), `${advanced}\n`)
    this.#environment = {
      PATH,
      HOME: at('home'),
      LANG: 'C.UTF-8',
      RABBITMQ_NODENAME: `errand${this.#ports.amqp}@localhost`,
      RABBITMQ_CONF_ENV_FILE: '/dev/null',
      RABBITMQ_CONFIG_FILE: at('rabbitmq.conf'),
      ...(advanced === undefined ? {} : { RABBITMQ_ADVANCED_CONFIG_FILE: at('advanced.config') }),
      RABBITMQ_MNESIA_BASE: at('mnesia'),
      RABBITMQ_LOG_BASE: at('log'),
      RABBITMQ_ENABLED_PLUGINS_FILE: at('enabled_plugins'),
      RABBITMQ_DIST_PORT: String(this.#ports.dist),
      // makes the script become the Erlang machine instead of staying in front of it: its pid is the server's
      RUNNING_UNDER_SYSTEMD: 'true',
      ERL_CRASH_DUMP_SECONDS: '0',
      ERL_EPMD_PORT: String(this.#ports.epmd),
      ERL_EPMD_ADDRESS: '127.0.0.1',
    }
  }

  async start(): Promise<void> {
    this.#epmd ??= spawn('epmd', ['-port', String(this.#ports.epmd), '-address', '127.0.0.1'], {
      env: { PATH },
      stdio: 'ignore',
      detached: true,
    })
    const server = spawn(join(this.#bin, 'rabbitmq-server'), [], {
      env: this.#environment,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    })
    this.#server = server
    for (const stream of [server.stdout, server.stderr]) {
      stream.on('data', (chunk: Buffer) => (this.#log = `${this.#log}${chunk.toString()}`.slice(-4000)))
    }
    this.#watchOver(server)
    await this.#ready(server)
  }

  async kill9(): Promise<void> {
    await this.#end('SIGKILL')
  }

  async stop(): Promise<void> {
    await this.#end('SIGTERM')
  }

  async restart(): Promise<void> {
    await this.stop()
    await this.start()
  }

  async ctl(...args: readonly string[]): Promise<string> {
    const node = this.#environment['RABBITMQ_NODENAME'] ?? ''
    const run = promisify(execFile)
    const { stdout } = await run(join(this.#bin, 'rabbitmqctl'), ['-q', '-n', node, ...args], { env: this.#environment })
    return stdout
  }

  eval(expression: string): Promise<string> {
    return this.ctl('eval', expression)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#end('SIGKILL')
    const epmd = this.#epmd
    this.#epmd = undefined
    if (epmd !== undefined) await endProcess(epmd, 'SIGKILL')
    this.#guard?.stdin?.end()
    this.#guard = undefined
    rmSync(this.#folder, { recursive: true, force: true })
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const server = this.#server
    this.#server = undefined
    if (server !== undefined) await endProcess(server, signal)
  }

  /** A shell that outlives this process by a moment and ends what it started, also after an interrupt or a kill of this process. */
  #watchOver(server: ChildProcess): void {
    this.#guard?.kill('SIGKILL')
    const script = 'read -r line; kill -9 "$1" "$2" 2>/dev/null; rm -rf "$3"'
    this.#guard = spawn('sh', ['-c', script, 'guard', String(server.pid), String(this.#epmd?.pid), this.#folder], {
      stdio: ['pipe', 'ignore', 'ignore'],
      detached: true,
    })
    for (const child of [this.#guard, server, this.#epmd]) child?.unref()
    // without this the open pipe would keep the test process alive
    const pipe = this.#guard.stdin
    pipe?.on('error', () => {})
    if (pipe !== null && 'unref' in pipe && typeof pipe.unref === 'function') pipe.unref()
    for (const stream of [server.stdout, server.stderr]) {
      if (stream !== null && 'unref' in stream && typeof stream.unref === 'function') stream.unref()
    }
  }

  async #ready(server: ChildProcess): Promise<void> {
    const deadline = Date.now() + START_TIMEOUT_MS
    while (!(await answersAmqp(this.#ports.amqp))) {
      const isGone = server.exitCode !== null || server.signalCode !== null
      if (isGone || Date.now() > deadline) throw new Error(`RabbitMQ did not start on port ${this.#ports.amqp}:\n${this.#log}`)
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
}

async function endProcess(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return
  const gone = once(child, 'exit')
  child.ref()
  child.kill(signal)
  await gone
}

function configuration(port: number): string {
  return [
    `listeners.tcp.1 = 127.0.0.1:${port}`,
    'loopback_users = none',
    'log.file = false',
    'log.console = true',
    'log.console.level = warning',
    'raft.wal_max_size_bytes = 64000000',
    '',
  ].join('\n')
}

/** Whether a server answers the protocol header; an open port alone says too little. */
export function answersAmqp(port: number, host = '127.0.0.1'): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host, timeout: 2000 })
    const answer = (is: boolean): void => {
      socket.destroy()
      resolve(is)
    }
    socket.once('connect', () => socket.write(Buffer.from('AMQP\x00\x00\x09\x01', 'latin1')))
    socket.once('data', () => answer(true))
    for (const event of ['error', 'close', 'timeout']) socket.once(event, () => answer(false))
  })
}
