import type { ChildProcess } from 'node:child_process'
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from './free-port.js'
import { Guard, quoted } from './guard.js'
import { endProcess, epmdAnswers, folderInside, RabbitServer, startEpmd, type RabbitScripts } from './rabbit-server.js'

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

export interface NodeOptions {
  /** An Erlang term for `advanced.config`, or what makes one from the folder of the server as the server sees it. */
  readonly advanced?: string | ((folder: string) => string)
  /** Files to copy into that folder, by the name they get there. */
  readonly files?: Readonly<Record<string, string>>
}

/** Another program may take a port between the choice and the start. */
const MOST_STARTS = 3

/** Starts a private node from these scripts; resolves when it speaks AMQP. */
export async function startRabbitNode(scripts: RabbitScripts, options: NodeOptions = {}): Promise<RabbitNode> {
  for (let starts = 1; ; starts++) {
    const ports = { amqp: await freePort(), dist: await freePort(), epmd: await freePort() }
    const node = new InstalledNode(scripts, ports, options)
    try {
      await node.start()
      return node
    } catch (error) {
      await node[Symbol.asyncDispose]()
      if (starts === MOST_STARTS || !/could_not_start_listener|epmd did not start/.test(String(error))) throw error
    }
  }
}

class InstalledNode implements RabbitNode {
  readonly #folder = mkdtempSync(join(tmpdir(), 'errand-rabbit-'))
  readonly #guard = new Guard()
  readonly #server: RabbitServer
  readonly #epmd: ChildProcess
  readonly #epmdPort: number

  constructor(scripts: RabbitScripts, ports: { amqp: number; dist: number; epmd: number }, { advanced: given, files = {} }: NodeOptions) {
    this.#epmd = startEpmd(ports.epmd)
    this.#epmdPort = ports.epmd
    const name = `errand${ports.amqp}`
    const plan = { scripts, folder: this.#folder, name, host: 'localhost', address: '127.0.0.1', ports }
    for (const [file, source] of Object.entries(files)) copyFileSync(source, join(this.#folder, file))
    const advanced = typeof given === 'function' ? given(folderInside(plan)) : given
    this.#server = new RabbitServer({ ...plan, advanced })
  }

  get url(): string {
    return this.#server.url
  }

  get pid(): number {
    return this.#server.pid
  }

  async start(): Promise<void> {
    await epmdAnswers(this.#epmd, this.#epmdPort, '127.0.0.1')
    this.#server.launch()
    this.#guard.watch([`kill -9 ${this.#server.pid} ${this.#epmd.pid ?? ''} 2>/dev/null`, `rm -rf ${quoted(this.#folder)}`])
    await this.#server.ready()
  }

  async kill9(): Promise<void> {
    await this.#server.end('SIGKILL')
  }

  async stop(): Promise<void> {
    await this.#server.end('SIGTERM')
  }

  async restart(): Promise<void> {
    await this.stop()
    await this.start()
  }

  ctl(...args: readonly string[]): Promise<string> {
    return this.#server.ctl(...args)
  }

  eval(expression: string): Promise<string> {
    return this.ctl('eval', expression)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.end('SIGKILL')
    await endProcess(this.#epmd, 'SIGKILL')
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 10 })
    this.#guard.end()
  }
}
