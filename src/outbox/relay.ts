import type { Broker } from '../broker/broker.js'
import type { Clock } from '../core/clock.js'
import { LastingTrouble } from '../core/lasting-trouble.js'
import type { Logger } from '../core/logger.js'
import { ErrandError } from '../errors.js'
import { connect, type Connected } from '../store/postgres/client.js'
import { failureKind } from '../store/postgres/failure.js'
import { movePass } from './move.js'
import { CHANNEL, makeOutbox } from './schema.js'

export interface RelayOptions {
  readonly url: string
  /** The address as messages may show it. */
  readonly shownUrl: string
  /** That of the keepers whose messages are published here. */
  readonly namespace: string
  /** Where they go. */
  readonly broker: Pick<Broker, 'publish'>
  readonly clock: Clock
  readonly log: Logger
}

/** Publishes what committed transactions left in the table. */
export interface Relay {
  /** Resolves when what was committed before the call is published, where the broker and the database let it; never rejects. */
  flush(): Promise<void>
  /** Waits a moment for what is under way; what is still in the table stays for the next process. Safe twice. */
  close(): Promise<void>
}

/** The word of a commit comes at once; this finds what a relay left that died, and what the broker did not take. */
const LOOK_EVERY_MS = 5_000
const SHORTEST_PAUSE_MS = 200
const LONGEST_PAUSE_MS = 10_000
/** A broker that is away may take long to say so; what it has not confirmed by then stays in the table. */
const CLOSE_MS = 2_000
/** A broker may take its time to confirm; after this the server gives the turn of a host that vanished to another. */
const LONGEST_TURN = '2min'

/**
 * Resolves when the first attempt to connect has ended. A database that is away is tried for in the background.
 * @throws ErrandError `PACKAGE_MISSING`; `DATABASE_REFUSED` when the table cannot be made, or the database does not let this process in
 */
export async function openRelay(options: RelayOptions): Promise<Relay> {
  const relay = new TableRelay(options)
  await relay.open()
  return relay
}

class TableRelay implements Relay {
  readonly #options: RelayOptions
  readonly #sending: LastingTrouble
  #client: Connected | undefined
  #cancelTimer: () => void = () => {}
  #working: Promise<void> | undefined
  #isAsked = false
  #pauseMs = SHORTEST_PAUSE_MS
  #trouble = ''
  #isClosed = false

  constructor(options: RelayOptions) {
    this.#options = options
    this.#sending = new LastingTrouble(options.clock)
  }

  async open(): Promise<void> {
    try {
      await this.#connect()
    } catch (error) {
      if (error instanceof ErrandError) throw error
      if (failureKind(error) === 'refused') throw refused(this.#options.shownUrl, error)
      this.#tell(error)
    }
    this.#look()
  }

  async flush(): Promise<void> {
    this.#look()
    await this.#working
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#cancelTimer()
    let cancel = (): void => {}
    await Promise.race([this.#working, new Promise<void>((resolve) => (cancel = this.#options.clock.after(CLOSE_MS, resolve)))])
    cancel()
    await this.#client?.end().catch(() => undefined)
  }

  /** Looks now, and once more where it is looking already: what it was told of may be newer than what it sees. */
  #look(): void {
    this.#isAsked = true
    // #work never rejects
    this.#working ??= this.#work().then(() => {
      this.#working = undefined
    })
  }

  async #work(): Promise<void> {
    while (this.#isAsked && !this.#isClosed) {
      this.#isAsked = false
      this.#cancelTimer()
      const nextMs = await this.#try()
      if (!this.#isClosed) this.#cancelTimer = this.#options.clock.after(nextMs, () => this.#look())
    }
  }

  /** Answers after how many milliseconds to look again, unless somebody asks before. */
  async #try(): Promise<number> {
    const { namespace, broker, clock, log } = this.#options
    try {
      const client = this.#client ?? (await this.#connect())
      await movePass(client, { namespace, broker, clock, log, trouble: this.#sending })
      this.#pauseMs = SHORTEST_PAUSE_MS
      this.#trouble = ''
      return LOOK_EVERY_MS
    } catch (error) {
      this.#tell(error)
      this.#drop()
      this.#pauseMs = Math.min(this.#pauseMs * 2, LONGEST_PAUSE_MS)
      return this.#pauseMs
    }
  }

  async #connect(): Promise<Connected> {
    const { url, shownUrl, namespace } = this.#options
    const onNotice = (payload: string): void => {
      if (payload === namespace) this.#look()
    }
    const client = await connect(url, { onNotice, isIdle: true })
    try {
      await client.query(`SET idle_in_transaction_session_timeout = '${LONGEST_TURN}'`)
      await makeOutbox(client, shownUrl)
      await client.query(`LISTEN ${CHANNEL}`)
    } catch (error) {
      client.end().catch(() => undefined)
      throw error
    }
    this.#client = client
    void client.gone.then(() => this.#lost(client))
    if (this.#isClosed) this.#drop()
    return client
  }

  /** Nothing is heard any more, so it is connected again at once. */
  #lost(client: Connected): void {
    if (this.#client !== client) return
    this.#client = undefined
    if (!this.#isClosed) this.#look()
  }

  #drop(): void {
    const client = this.#client
    this.#client = undefined
    // one that hangs ends by itself or not at all; nobody waits for it
    client?.end().catch(() => undefined)
  }

  #tell(error: unknown): void {
    const trouble = error instanceof Error ? error.message : 'unknown reason'
    if (this.#isClosed || trouble === this.#trouble) return
    this.#trouble = trouble
    const { log, shownUrl } = this.#options
    log.warn(`Calls of committed transactions in ${shownUrl} cannot be sent just now; trying on. ${trouble}`)
  }
}

function refused(shownUrl: string, cause: unknown): ErrandError {
  const state: unknown = cause instanceof Error ? Reflect.get(cause, 'code') : undefined
  return new ErrandError(
    'DATABASE_REFUSED',
    `Cannot use the database ${shownUrl}: PostgreSQL refused with ${String(state)}. Check user, password and name of the "database" key.`,
    { cause },
  )
}
