import { outside } from '../../core/outside.js'
import { ErrandError } from '../../errors.js'
import type { Held, Locks } from '../locks.js'
import { Link } from './link/connection.js'
import { readTlsFiles } from './link/dial.js'
import { closedError, toErrandError } from './link/errors.js'
import { dropName, hashOf, takeName } from './link/exclusive-name.js'
import { resolveRabbitOptions, type RabbitBrokerOptions, type ResolvedRabbitOptions } from './link/options.js'
import type { Session } from './link/session.js'

/**
 * Names that live on RabbitMQ, each as an exclusive queue of one connection, which is opened at the first `take`. A process whose
 * connection breaks without a word loses its names to others once the server misses its signs of life, after about two
 * `heartbeatSeconds`; `lost` aborts within three. What is built on a name must bear two holders for so long.
 *
 * @throws ErrandError `OPTION_INVALID`
 */
export async function openRabbitLocks(given: RabbitBrokerOptions): Promise<Locks> {
  const options = resolveRabbitOptions(given)
  return new RabbitLocks(options, new Link(options, await readTlsFiles(options.tls), 'locks'))
}

class RabbitLocks implements Locks {
  readonly #options: ResolvedRabbitOptions
  readonly #link: Link
  /** Held here, or about to be: the server lets one connection take its own name again. */
  readonly #names = new Set<string>()
  #isClosed = false
  #closing: Promise<void> | undefined

  constructor(options: ResolvedRabbitOptions, link: Link) {
    this.#options = options
    this.#link = link
  }

  async take(name: string): Promise<Held | undefined> {
    const what = `Cannot take the name "${name}"`
    if (this.#isClosed) throw closedError(what)
    if (this.#names.has(name)) return undefined
    this.#names.add(name)
    const held = await outside(() => this.#take(name, what)).catch((error: unknown) => {
      this.#names.delete(name)
      throw this.#isClosed ? closedError(what) : toErrandError(what, error)
    })
    if (held === undefined) this.#names.delete(name)
    return held
  }

  close(): Promise<void> {
    this.#isClosed = true
    this.#closing ??= outside(() => this.#link.close())
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #take(name: string, what: string): Promise<Held | undefined> {
    await this.#link.open()
    const session = await this.#link.ready(this.#options.connectTimeoutMs, what)
    const queue = `${this.#options.namespace}.lock.${hashOf(name)}`
    try {
      if (!(await takeName(session, queue))) return undefined
    } catch (error) {
      // without an answer nobody knows whether the name is ours now
      await dropName(session, queue)
      throw error
    }
    return new HeldName({ session, queue, name, onFree: () => this.#names.delete(name) })
  }
}

interface HeldParts {
  readonly session: Session
  readonly queue: string
  readonly name: string
  readonly onFree: () => void
}

class HeldName implements Held {
  readonly #parts: HeldParts
  readonly #lost = new AbortController()
  #releasing: Promise<void> | undefined
  readonly #onGone = (): void => {
    this.#parts.onFree()
    const why = `The name "${this.#parts.name}" is lost: the connection to RabbitMQ on which it was held is gone. Another process may hold it now.`
    this.#lost.abort(new ErrandError('BROKER_UNREACHABLE', why))
  }

  constructor(parts: HeldParts) {
    this.#parts = parts
    if (parts.session.isUp) parts.session.once('gone', this.#onGone)
    else this.#onGone()
  }

  get lost(): AbortSignal {
    return this.#lost.signal
  }

  release(): Promise<void> {
    this.#releasing ??= this.#release()
    return this.#releasing
  }

  async #release(): Promise<void> {
    const { session, queue, onFree } = this.#parts
    if (this.#lost.signal.aborted) return
    session.off('gone', this.#onGone)
    await outside(() => dropName(session, queue))
    onFree()
  }
}
