import { setTimeout as sleep } from 'node:timers/promises'
import { ErrandError } from '../../errors.js'
import { connect, type Client, type Connected } from './client.js'
import { failureKind, postgresFailure } from './failure.js'
import type { ResolvedPostgresOptions } from './options.js'

const SHORTEST_PAUSE_MS = 20
const LONGEST_PAUSE_MS = 1_000

/** The end of work that must not be tried again: whether the server carried it out is unknown. */
export class OutcomeUnknown extends ErrandError {
  constructor(cause: unknown) {
    super('STORE_UNREACHABLE', 'The connection was lost while a change was being committed.', { cause })
  }
}

/** One connection that is made when it is needed, and again after it was lost. */
export class Link {
  readonly #options: ResolvedPostgresOptions
  #client: Promise<Connected> | undefined
  #last: Promise<unknown> = Promise.resolve()
  #isClosed = false

  constructor(options: ResolvedPostgresOptions) {
    this.#options = options
  }

  /**
   * Runs `work` on the connection, and again where that was lost or had to yield, as long as patience lasts. `what` is the beginning of
   * a sentence. Work that throws {@link OutcomeUnknown} is not repeated.
   * @throws ErrandError `STORE_UNREACHABLE`, `STORE_REFUSED`, `STORE_CLOSED`
   */
  async run<T>(what: string, work: (client: Client) => Promise<T>): Promise<T> {
    const { patienceMs, shownUrl } = this.#options
    const deadline = performance.now() + patienceMs
    let pauseMs = SHORTEST_PAUSE_MS
    for (;;) {
      if (this.#isClosed) throw new ErrandError('STORE_CLOSED', `${what}: the store at ${shownUrl} is closed. Open a new one.`)
      try {
        return await this.#once(work)
      } catch (error) {
        if (error instanceof OutcomeUnknown) throw unknownOutcome(what, shownUrl, error.cause)
        const isFinal = error instanceof ErrandError || failureKind(error) === 'refused' || performance.now() + pauseMs > deadline
        if (isFinal) throw postgresFailure(what, shownUrl, error)
      }
      await sleep(pauseMs * (0.5 + Math.random()))
      pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true
    const client = await this.#client?.catch(() => undefined)
    this.#client = undefined
    await client?.end()
  }

  async #once<T>(work: (client: Client) => Promise<T>): Promise<T> {
    const client = await this.#connected()
    try {
      return await this.#inTurn(() => work(client))
    } catch (error) {
      if (error instanceof OutcomeUnknown || failureKind(error) === 'lost') await this.#drop(client)
      throw error
    }
  }

  /** A connection does one thing at a time. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work)
    this.#last = turn.catch(() => undefined)
    return turn
  }

  #connected(): Promise<Connected> {
    if (this.#client !== undefined) return this.#client
    const made = connect(this.#options.url)
    this.#client = made
    const forget = (): void => {
      if (this.#client === made) this.#client = undefined
    }
    made.then(({ gone }) => gone.then(forget), forget)
    return made
  }

  /** A connection that hangs ends by itself or not at all; nobody waits for it. */
  async #drop(client: Connected): Promise<void> {
    client.end().catch(() => undefined)
    const current = await this.#client?.catch(() => undefined)
    // another user of the connection may have made a new one
    if (current === client) this.#client = undefined
  }
}

function unknownOutcome(what: string, url: string, cause: unknown): ErrandError {
  const why = 'the connection was lost while it was being committed; whether it was stored is unknown'
  return new ErrandError('STORE_UNREACHABLE', `${what} at ${url}: ${why}. Record it again: what is there is passed over.`, { cause })
}
