import { connect, createServer, type Server, type Socket } from 'node:net'
import type { Clock } from '../../src/core/clock.js'
import { ErrandError } from '../../src/errors.js'
import { claimFileAddress } from './file-address.js'
import { isFileAddress, leaderAddress, type ServiceIdentity } from './leader-address.js'
import { ownSockets } from './own-sockets.js'

/** What the leading server tells about its workers, for `errand status`. */
export interface LeaderStatus {
  /** Process id of the server. */
  readonly pid: number
  readonly leader: LeaderKind
  readonly service: string
  readonly environment: string
  readonly workers: readonly WorkerStatus[]
}

/** What runs the workers: a server of the application, or `errand worker --keep-alive`. */
export type LeaderKind = 'server' | 'command'

export interface WorkerStatus {
  /** Absent while no process runs in this place. */
  readonly pid?: number | undefined
  readonly state: 'starting' | 'running' | 'waiting' | 'stopping' | 'stopped'
  /** Milliseconds since the epoch. */
  readonly startedAt: number
}

export interface ElectionOptions {
  readonly address: string
  readonly clock: Clock
  /** This process leads from now on, until it closes the election. */
  readonly onLead: () => void
  /** Another process leads; called again when yet another one does. */
  readonly onFollow: () => void
  /** No socket can be had at all; nothing is elected. */
  readonly onError: (error: ErrandError) => void
  readonly status: () => LeaderStatus
}

const ASK_STATUS = 'status\n'
/** Followers of a leader that vanished come back spread over this time. */
const CONTEND_SPREAD_MS = 100
const QUERY_TIMEOUT_MS = 2_000

/** Sees to it that one process of a service leads on this host: whoever listens on the address of the service. */
export class Election {
  readonly #options: ElectionOptions
  #server: Server | undefined
  #leader: Socket | undefined
  #followers = new Set<Socket>()
  #cancel: () => void = () => {}
  #isClosed = false

  constructor(options: ElectionOptions) {
    this.#options = options
  }

  /** Takes part from now on. */
  start(): void {
    void this.#contend().catch((error: unknown) => this.#options.onError(noSocket(error)))
  }

  /** Gives up leading or following. Safe twice. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#cancel()
    this.#leader?.destroy()
    const server = this.#server
    if (server === undefined) return
    this.#server = undefined
    const closed = new Promise((resolve) => server.close(resolve))
    for (const follower of this.#followers) follower.destroy()
    await closed
  }

  async #contend(): Promise<void> {
    const { address } = this.#options
    const server = (await listen(address, this.#serve)) ?? (isFileAddress(address) ? await claimFileAddress(address, () => listen(address, this.#serve)) : undefined)
    if (server === undefined) return this.#follow()
    this.#server = server
    if (this.#isClosed) return this.close()
    this.#options.onLead()
  }

  readonly #serve = (socket: Socket): void => {
    this.#followers.add(socket)
    socket.unref() // a follower is no reason to stay
    socket.on('error', () => socket.destroy())
    socket.on('close', () => this.#followers.delete(socket))
    socket.once('data', (asked) => {
      if (asked.toString() === ASK_STATUS) socket.end(`${JSON.stringify(this.#options.status())}\n`)
    })
  }

  /** Holds a connection to the leader: when it drops, the leader is gone. */
  #follow(): void {
    if (this.#isClosed) return
    const socket = connect(this.#options.address)
    socket.unref() // following is no reason to stay
    this.#leader = socket
    socket.on('connect', () => this.#options.onFollow())
    socket.on('error', () => {}) // 'close' comes next
    socket.resume()
    socket.on('close', () => {
      if (!this.#isClosed) this.#cancel = this.#options.clock.after(Math.random() * CONTEND_SPREAD_MS, () => this.start())
    })
  }
}

/** The status of the leading server of a service on this host; `undefined` where none leads. */
export function queryLeader(config: ServiceIdentity): Promise<LeaderStatus | undefined> {
  return new Promise((resolve) => {
    const socket = connect(leaderAddress(config))
    let answer = ''
    socket.setTimeout(QUERY_TIMEOUT_MS, () => socket.destroy())
    socket.on('connect', () => socket.write(ASK_STATUS))
    socket.on('data', (chunk) => {
      answer += chunk.toString()
    })
    socket.on('error', () => socket.destroy())
    socket.on('close', () => resolve(answer.endsWith('\n') ? readStatus(answer) : undefined))
  })
}

function readStatus(answer: string): LeaderStatus | undefined {
  try {
    return JSON.parse(answer) as LeaderStatus // written by a leader of the same package, see #serve
  } catch {
    return undefined
  }
}

/** A server on `address`, or `undefined` when another process has it. */
function listen(address: string, onConnection: (socket: Socket) => void): Promise<Server | undefined> {
  const server = createServer(onConnection)
  ownSockets.add(server)
  return new Promise((resolve, reject) => {
    server.on('error', (error: NodeJS.ErrnoException) => (error.code === 'EADDRINUSE' ? resolve(undefined) : reject(error)))
    // exclusive: the processes of a node cluster must not share it
    server.listen({ path: address, exclusive: true }, () => resolve(server.unref())) // leading is no reason to stay
  })
}

function noSocket(error: unknown): ErrandError {
  const why = error instanceof Error ? error.message : 'unknown reason'
  return new ErrandError(
    'SERVICE_LOAD_FAILED',
    `Cannot see whether another server of this service runs the workers already: its local socket cannot be opened (${why}). ` +
      'Let the process use local sockets, or set "worker.spawn: false" and run "errand worker" by itself.',
    { cause: error },
  )
}
