import { execFile, execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { freePort } from './free-port.js'

const START_TIMEOUT_MS = 60_000

/** Said by a server whose predecessor was killed while a process that it had started still ends. */
const STILL_IN_USE = 'pre-existing shared memory block'

/** Another program may take a port between the choice and the start. */
const MOST_STARTS = 3

/** A PostgreSQL server with data and port of its own. Gone when this process is gone. */
export interface PostgresServer extends AsyncDisposable {
  readonly url: string
  /** Its first process; those that serve connections are children of it. */
  readonly pid: number
  readonly version: string
  /** Kills the server as a power cut would. */
  kill9(): Promise<void>
  /** Ends the server in good order, and with it every connection; its data stays. */
  stop(): Promise<void>
  /** Starts it again on its data, and resolves when it takes connections. */
  start(): Promise<void>
}

export interface PostgresOptions {
  /** Whether a commit waits for the disk. Tests do without: nothing of theirs is to survive the machine. @defaultValue false */
  readonly isDurable?: boolean
}

/** Makes a server with the programs in `bin`, and starts it. */
export async function startPostgresServer(bin: string, { isDurable = false }: PostgresOptions = {}): Promise<PostgresServer> {
  for (let starts = 1; ; starts++) {
    const server = new InstalledServer(bin, await freePort(), isDurable)
    try {
      await server.prepare()
      await server.start()
      return server
    } catch (error) {
      await server[Symbol.asyncDispose]()
      if (starts === MOST_STARTS || !String(error).includes('could not bind')) throw error
    }
  }
}

class InstalledServer implements PostgresServer {
  readonly url: string
  readonly #bin: string
  readonly #port: number
  readonly #isDurable: boolean
  readonly #folder = mkdtempSync(join(tmpdir(), 'errand-postgres-'))
  readonly #user = unprivileged()
  #server: ChildProcess | undefined
  #guard: ChildProcess | undefined
  #log = ''

  constructor(bin: string, port: number, isDurable: boolean) {
    this.#bin = bin
    this.#port = port
    this.#isDurable = isDurable
    this.url = `postgres://errand@127.0.0.1:${port}/postgres`
  }

  get pid(): number {
    if (this.#server?.pid === undefined) throw new Error('PostgreSQL does not run')
    return this.#server.pid
  }

  /** As the program says it, in words like "PostgreSQL 15.4". */
  get version(): string {
    const said = execFileSync(join(this.#bin, 'postgres'), ['--version'], { encoding: 'utf8' })
    return `PostgreSQL ${/\d+[.\d]*/.exec(said)?.[0] ?? said.trim()}`
  }

  async prepare(): Promise<void> {
    const { uid, gid } = this.#user
    if (uid !== undefined && gid !== undefined) chownSync(this.#folder, uid, gid)
    const args = ['-D', this.#data, '-U', 'errand', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync']
    await promisify(execFile)(join(this.#bin, 'initdb'), args, { ...this.#user, cwd: this.#folder, env: { LC_ALL: 'C' } })
  }

  async start(): Promise<void> {
    const deadline = Date.now() + START_TIMEOUT_MS
    let server = this.#spawn()
    for (;;) {
      const isAnswered = await this.#isReady()
      const ended = server.exitCode !== null || server.signalCode !== null
      // where it has ended, it is another one that answers
      if (isAnswered && !ended) return
      if (Date.now() > deadline || (ended && !this.#log.includes(STILL_IN_USE))) {
        throw new Error(`PostgreSQL did not start on port ${this.#port}:\n${this.#log}`)
      }
      await new Promise((resolve) => setTimeout(resolve, 20))
      if (ended) server = this.#spawn()
    }
  }

  async kill9(): Promise<void> {
    await this.#end('SIGKILL')
  }

  async stop(): Promise<void> {
    await this.#end('SIGINT')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#end('SIGQUIT')
    this.#guard?.stdin?.end()
    this.#guard = undefined
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 10 })
  }

  get #data(): string {
    return join(this.#folder, 'data')
  }

  #spawn(): ChildProcess {
    const fsync = `fsync=${this.#isDurable ? 'on' : 'off'}`
    const settings = ['listen_addresses=127.0.0.1', 'unix_socket_directories=', fsync, 'max_connections=300']
    const args = ['-D', this.#data, '-p', String(this.#port), ...settings.flatMap((setting) => ['-c', setting])]
    const server = spawn(join(this.#bin, 'postgres'), args, {
      ...this.#user,
      cwd: this.#folder,
      env: { LC_ALL: 'C' },
      stdio: ['ignore', 'ignore', 'pipe'],
      detached: true,
    })
    this.#server = server
    this.#log = ''
    server.stderr.on('data', (chunk: Buffer) => (this.#log = `${this.#log}${chunk.toString()}`.slice(-4000)))
    this.#watchOver(server)
    return server
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const server = this.#server
    this.#server = undefined
    if (server?.pid === undefined || server.exitCode !== null || server.signalCode !== null) return
    const gone = once(server, 'exit')
    server.ref()
    server.kill(signal)
    await gone
    this.#guard?.kill('SIGKILL')
  }

  /** A shell that outlives this process by a moment and ends what it started, also after an interrupt or a kill of this process. */
  #watchOver(server: ChildProcess & { readonly stderr: NodeJS.ReadableStream }): void {
    this.#guard?.kill('SIGKILL')
    const script = 'read -r line; kill -QUIT "$1" 2>/dev/null; sleep 1; kill -9 "$1" 2>/dev/null; rm -rf "$2"'
    this.#guard = spawn('sh', ['-c', script, 'guard', String(server.pid), this.#folder], {
      stdio: ['pipe', 'ignore', 'ignore'],
      detached: true,
    })
    this.#guard.stdin?.on('error', () => {})
    // without this the open pipes would keep the test process alive
    for (const handle of [this.#guard, server, this.#guard.stdin, server.stderr]) {
      if (handle !== null && 'unref' in handle && typeof handle.unref === 'function') handle.unref()
    }
  }

  /** Whether the server answers the first message of its protocol: an open port alone says too little. */
  #isReady(): Promise<boolean> {
    return new Promise((resolve) => {
      const socket = connect({ port: this.#port, host: '127.0.0.1', timeout: 2000 })
      const answer = (is: boolean): void => {
        socket.destroy()
        resolve(is)
      }
      socket.once('connect', () => socket.write(startup('errand', 'postgres')))
      // R: authentication; E: it is starting still
      socket.once('data', (data) => answer(data[0] === 'R'.charCodeAt(0)))
      for (const event of ['error', 'close', 'timeout']) socket.once(event, () => answer(false))
    })
  }
}

function startup(user: string, database: string): Buffer {
  const body = Buffer.from(`\0\x03\0\0user\0${user}\0database\0${database}\0\0`, 'latin1')
  const length = Buffer.alloc(4)
  length.writeInt32BE(body.length + 4)
  return Buffer.concat([length, body])
}

/** The server refuses to run as root. */
function unprivileged(): { readonly uid?: number; readonly gid?: number } {
  if (process.getuid?.() !== 0) return {}
  const ask = (flag: string): number => Number(execFileSync('id', [flag, 'nobody'], { encoding: 'utf8' }))
  return { uid: ask('-u'), gid: ask('-g') }
}
