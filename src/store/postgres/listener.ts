import type { Logger } from '../../core/logger.js'
import { connect, type Connected } from './client.js'
import type { ResolvedPostgresOptions } from './options.js'

/** How often the connection is asked whether it is there still: one that died silently hears nothing. */
const ASK_MS = 5_000
const PAUSE_MS = 500
/** A transaction that was being written when the connection was lost carries a time this much earlier at most. */
const MARGIN_MS = 60_000

export interface Hearing {
  readonly channel: string
  readonly onIds: (ids: readonly string[]) => void
  /** The ids of what was written in the last so many milliseconds. */
  changedWithin(ms: number): Promise<readonly string[]>
}

/** A connection that hears which tasks changed, and finds what it missed after it was lost. */
export class Listener {
  readonly #options: ResolvedPostgresOptions
  readonly #hearing: Hearing
  readonly #log: Logger
  #client: Connected | undefined
  #heardAt = 0
  #cancel: (() => void) | undefined
  #isClosed = false

  constructor(options: ResolvedPostgresOptions, hearing: Hearing) {
    this.#options = options
    this.#hearing = hearing
    this.#log = options.log
  }

  /** Resolves when everything from now on is heard. */
  async open(): Promise<void> {
    await this.#connect()
    this.#askLater()
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#cancel?.()
    await this.#client?.end()
  }

  async #connect(): Promise<void> {
    const { channel, onIds } = this.#hearing
    const client = await connect(this.#options.url, { onNotice: (payload) => onIds(payload.split(' ')), isIdle: true })
    await client.query(`LISTEN ${channel}`)
    this.#client = client
    this.#heardAt = performance.now()
    void client.gone.then(() => this.#reconnect(client))
    if (this.#isClosed) await client.end()
  }

  #askLater(): void {
    this.#cancel = this.#options.clock.after(ASK_MS, () => void this.#ask())
  }

  async #ask(): Promise<void> {
    const client = this.#client
    try {
      await client?.query('SELECT 1')
      this.#heardAt = performance.now()
    } catch {
      if (client !== undefined) void this.#reconnect(client)
    }
    if (!this.#isClosed) this.#askLater()
  }

  async #reconnect(lost: Connected): Promise<void> {
    if (this.#isClosed || this.#client !== lost) return
    this.#client = undefined
    lost.end().catch(() => undefined)
    const heardAt = this.#heardAt
    this.#log.warn(`The connection that watches tasks at ${this.#options.shownUrl} was lost; it is made again.`)
    while (!this.#isClosed) {
      try {
        await this.#connect()
        this.#hearing.onIds(await this.#hearing.changedWithin(performance.now() - heardAt + MARGIN_MS))
        return
      } catch (error) {
        this.#log.warn(`Cannot watch tasks at ${this.#options.shownUrl} yet. ${String(error)}`)
      }
      await new Promise<void>((resolve) => this.#options.clock.after(PAUSE_MS, resolve))
    }
  }
}
