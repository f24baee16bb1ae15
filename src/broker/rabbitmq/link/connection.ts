import { EventEmitter } from 'node:events'
import type { ConnectionOptions } from 'node:tls'
import { LastingTrouble } from '../../../core/lasting-trouble.js'
import { outside } from '../../../core/outside.js'
import { ErrandError } from '../../../errors.js'
import { Backoff } from './backoff.js'
import { deferred, within } from './deadline.js'
import { dial } from './dial.js'
import { closedError, isRefusal, reasonOf, toErrandError } from './errors.js'
import type { Host, ResolvedRabbitOptions } from './options.js'
import type { Session } from './session.js'

const FIRST_WAIT_MS = 50
const LONGEST_WAIT_MS = 5000

/** A refusal is for a person to repair; asking often only fills the log of the server. */
const REFUSED_WAIT_MS = 5000

/** Only a connection that stood this long says that the trouble is over. */
const STABLE_MS = 10_000

interface LinkEvents {
  up: [session: Session]
  down: [session: Session]
  closed: []
}

/**
 * A connection that comes back: while open there is at most one {@link Session}, and after each loss another one is made, on
 * any of the hosts, for ever. Runs outside the context of any request.
 */
export class Link extends EventEmitter<LinkEvents> {
  readonly #options: ResolvedRabbitOptions
  readonly #tls: ConnectionOptions
  readonly #role: string
  readonly #backoff = new Backoff(FIRST_WAIT_MS, LONGEST_WAIT_MS)
  readonly #abort = new AbortController()
  /** A server that is away for hours would fill the log. */
  readonly #trouble: LastingTrouble
  #session: Session | undefined
  #epoch = 0
  #isClosed = false
  #opening: Promise<void> | undefined
  #running: Promise<void> | undefined

  constructor(options: ResolvedRabbitOptions, tls: ConnectionOptions, role: string) {
    super()
    // every consumer listens
    this.setMaxListeners(0)
    this.#options = options
    this.#tls = tls
    this.#role = role
    this.#trouble = new LastingTrouble(options.clock)
  }

  /** The connection that stands now. */
  get session(): Session | undefined {
    return this.#session?.isUp === true ? this.#session : undefined
  }

  /**
   * Resolves with the first connection; from then on it is kept up. Asked again, it answers the same; after a failure it tries anew.
   * @throws ErrandError `BROKER_UNREACHABLE`, `BROKER_REFUSED`, `BROKER_CLOSED`
   */
  open(): Promise<void> {
    this.#opening ??= outside(() => this.#openFirst()).catch((error: unknown) => {
      this.#opening = undefined
      throw error
    })
    return this.#opening
  }

  /** Seeks the first connection for as long as it takes; {@link open} then answers without one. */
  openInBackground(): void {
    this.#opening ??= Promise.resolve()
    this.#running ??= outside(() => this.#keepUp(undefined))
  }

  /** The connection, waiting for one at most `ms`. @throws ErrandError `BROKER_UNREACHABLE`, `BROKER_CLOSED` */
  async ready(ms: number, what: string): Promise<Session> {
    if (this.#isClosed) throw closedError(what)
    if (this.session !== undefined) return this.session
    const waiting = deferred<Session | undefined>()
    const onClosed = (): void => waiting.resolve(undefined)
    this.once('up', waiting.resolve)
    this.once('closed', onClosed)
    const found = await within(waiting.promise, ms, () => undefined)
    this.off('up', waiting.resolve)
    this.off('closed', onClosed)
    if (found !== undefined) return found
    throw this.#isClosed ? closedError(what) : this.unreachable(what)
  }

  /** One more connection, which does not come back and goes with this one at the latest. @throws ErrandError like {@link open} */
  async another(): Promise<Session> {
    const { clock, connectTimeoutMs } = this.#options
    const since = clock.now()
    const { session, failures } = await this.#tryAll(since + connectTimeoutMs, false)
    if (session === undefined) throw this.#openError(failures.at(-1), clock.now() - since)
    const onClosed = (): void => session.abandon('the broker of this process was closed')
    if (this.#isClosed) onClosed()
    this.once('closed', onClosed)
    session.once('gone', () => this.off('closed', onClosed))
    return session
  }

  unreachable(what: string): ErrandError {
    return new ErrandError('BROKER_UNREACHABLE', `${what}: there is no connection to RabbitMQ at ${this.#where}. Is the server running?`)
  }

  /** Ends the connection and the attempts to make one; resolves within a few seconds in every state. Safe twice. */
  async close(politely = true): Promise<void> {
    this.#isClosed = true
    this.emit('closed')
    await this.#session?.close(politely)
    this.#abort.abort()
    await this.#running
  }

  get #where(): string {
    return this.#options.hosts.map((host) => host.shown).join(', ')
  }

  async #openFirst(): Promise<void> {
    const { clock, connectTimeoutMs } = this.#options
    const since = clock.now()
    const session = await this.#connectUntil(since, since + connectTimeoutMs)
    this.#trouble.over()
    this.#install(session)
    this.#running = this.#keepUp(session)
  }

  async #connectUntil(since: number, deadline: number): Promise<Session> {
    const { clock } = this.#options
    for (let round = 0; ; round++) {
      const { session, failures } = await this.#tryAll(deadline, round === 0)
      if (session !== undefined) return session
      const isHopeless = failures.length > 0 && failures.every(isRefusal)
      const waitMs = this.#backoff.next()
      if (this.#isClosed || isHopeless || clock.now() + waitMs >= deadline) {
        throw this.#openError(failures.find(isRefusal) ?? failures.at(-1), clock.now() - since)
      }
      await this.#pause(waitMs)
    }
  }

  /** One attempt at each host. In the first round a failure is told at once: whoever starts the server waits for it. */
  async #tryAll(deadline: number, isFirst: boolean): Promise<{ session?: Session; failures: readonly unknown[] }> {
    const { clock, hosts } = this.#options
    const failures: unknown[] = []
    for (const host of shuffled(hosts)) {
      if (this.#isClosed) break
      // the last host also gets its chance when the ones before it were silent
      const share = (deadline - clock.now()) / (hosts.length - failures.length)
      try {
        return { session: await this.#dial(host, Math.max(1, share)), failures }
      } catch (error) {
        failures.push(error)
        if (isFirst && failures.length === 1 && !this.#isClosed) this.#warnOf(host, error)
      }
    }
    return { failures }
  }

  #warnOf(host: Host, error: unknown): void {
    const soFar = this.#trouble.failed(`away: ${host.shown}`)
    if (soFar === undefined) return
    this.#options.log.warn(`RabbitMQ: ${host.shown} cannot be reached for ${this.#role} (${reasonOf(error)})${soFar}.`)
  }

  #openError(error: unknown, elapsedMs: number): ErrandError {
    const what = `Cannot connect to RabbitMQ at ${this.#where}`
    if (this.#isClosed) return closedError(what)
    if (isRefusal(error)) return toErrandError(what, error)
    const why = `no connection after ${elapsedMs} ms (last failure: ${reasonOf(error)})`
    return new ErrandError('BROKER_UNREACHABLE', `${what}: ${why}. Is the server running, and is the address right?`, { cause: error })
  }

  async #keepUp(first: Session | undefined): Promise<void> {
    if (first !== undefined) await this.#standing(first)
    for (;;) {
      const session = await this.#reconnect(first === undefined && this.#session === undefined ? 'connected' : 'connected again')
      if (session === undefined) return
      this.#install(session)
      await this.#standing(session)
    }
  }

  #install(session: Session): void {
    this.#session = session
    if (this.#isClosed) session.abandon('the broker of this process was closed')
    else this.emit('up', session)
  }

  /** Resolves when the connection is gone. */
  async #standing(session: Session): Promise<void> {
    const { clock, log } = this.#options
    const since = clock.now()
    const why = await new Promise<unknown>((resolve) => {
      if (session.isUp) session.once('gone', resolve)
      else resolve('lost at once')
    })
    if (session.wasLeft || clock.now() - since >= STABLE_MS) this.#backoff.reset()
    this.emit('down', session)
    if (!this.#isClosed) log.warn(`RabbitMQ: the connection for ${this.#role} was lost (${reasonOf(why)}); connecting again.`)
  }

  /** The next connection, however long it takes; `undefined` after close(). */
  async #reconnect(done: string): Promise<Session | undefined> {
    const { hosts, log, connectTimeoutMs } = this.#options
    while (!this.#isClosed) {
      for (const host of shuffled(hosts)) {
        await this.#pause(this.#backoff.next())
        if (this.#isClosed) return undefined
        try {
          const session = await this.#dial(host, connectTimeoutMs)
          log.info(`RabbitMQ: ${done} for ${this.#role}${this.#trouble.over()}.`)
          return session
        } catch (error) {
          if (isRefusal(error)) await this.#refused(host, error)
          else this.#warnOf(host, error)
        }
      }
    }
    return undefined
  }

  /** Only a person can repair it, who must find it in the log. */
  async #refused(host: Host, error: unknown): Promise<void> {
    const { message } = toErrandError(`Cannot connect to RabbitMQ at ${host.shown} for ${this.#role}`, error)
    const soFar = this.#trouble.failed(`refused: ${host.shown}`)
    if (soFar !== undefined) this.#options.log.error(`${message} Trying again every few seconds${soFar}.`)
    await this.#pause(REFUSED_WAIT_MS)
  }

  #dial(host: Host, timeoutMs: number): Promise<Session> {
    const { heartbeatSeconds, namespace } = this.#options
    const connectionName = `${namespace} ${this.#role} ${process.pid}`
    const epoch = (this.#epoch += 1)
    return dial(host, { heartbeatSeconds, connectionName, tls: this.#tls, timeoutMs, epoch, signal: this.#abort.signal })
  }

  /** Waits, but not beyond close(). Holds the process like the socket before it did: a lost connection must not end a worker. */
  async #pause(ms: number): Promise<void> {
    const closed = deferred<undefined>()
    const onClosed = (): void => closed.resolve(undefined)
    if (this.#isClosed) return
    this.once('closed', onClosed)
    await within(closed.promise, ms, () => undefined)
    this.off('closed', onClosed)
  }
}

function shuffled<T>(items: readonly T[]): readonly T[] {
  return items
    .map((item) => ({ item, place: Math.random() }))
    .sort((a, b) => a.place - b.place)
    .map(({ item }) => item)
}
