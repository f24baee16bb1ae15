import type { Clock } from '../../core/clock.js'
import type { Logger } from '../../core/logger.js'
import { ErrandError } from '../../errors.js'
import type {
  Broker,
  BrokerFeatures,
  ConsumeOptions,
  Delivery,
  OutgoingMessage,
  QueueCount,
  Subscription,
  Verdict,
  Visit,
} from '../broker.js'
import { Drain } from './drain.js'
import { LateSubscriptions } from './late-subscriptions.js'
import { dueAt, dueOf, OUTBOX, toSpooled } from './spooled.js'
import { Turn } from './turn.js'

export interface SpoolingBrokerOptions {
  /** Where messages belong. It rejects a publish soon when it is away. */
  readonly remote: Broker
  /** Keeps them meanwhile: durable, on this host. Both are closed with the outbox. */
  readonly local: Broker
  /** Path of the file whose lock says which process empties the outbox; made where there is none. */
  readonly turnFile: string
  /** Messages kept at most, about: beyond that calls reject with `QUEUE_FULL`. */
  readonly limit: number
  readonly clock: Clock
  readonly log: Logger
}

/** How often a process looks at the outbox. */
const TICK_MS = 500
/** With so few left, calls wait until the last of them is sent, at most so long: else the outbox of a busy process is never empty. */
const NEARLY_EMPTY = 500
const GATE_MS = 2_000
/** How long a reply is tried for, as it would be without an outbox. */
const REPLY_PATIENCE_MS = 30_000
const PAUSE_MS = 100

/**
 * A broker with an outbox in front: what cannot be published because `remote` is away is kept by `local` and sent, in its order,
 * when it is back. As long as anything of this process is kept, its later messages are kept as well.
 * @throws ErrandError what the file of the turn is refused with
 */
export async function openSpoolingBroker(options: SpoolingBrokerOptions): Promise<Broker> {
  const broker = new SpoolingBroker(options, await Turn.open(options.turnFile))
  await broker.open()
  return broker
}

class SpoolingBroker implements Broker {
  readonly features: BrokerFeatures
  readonly #options: SpoolingBrokerOptions
  readonly #turn: Turn
  readonly #drain: Drain
  readonly #late: LateSubscriptions
  #isSpooling = false
  /** Messages in the outbox, those being stored included; exact after each look only. */
  #kept = 0
  #storing = 0
  /** Messages of which the storing began, ever. */
  #begun = 0
  #onStored: () => void = () => {}
  /** While it is there, nothing is stored. */
  #gate: Promise<void> | undefined
  #looking: Promise<void> = Promise.resolve()
  #cancelTick: () => void = () => {}
  #trouble = ''
  #closing: Promise<void> | undefined

  constructor(options: SpoolingBrokerOptions, turn: Turn) {
    this.#options = options
    this.features = options.remote.features
    this.#turn = turn
    this.#drain = new Drain({ ...options, turn })
    this.#late = new LateSubscriptions(options.remote, options.log)
  }

  async open(): Promise<void> {
    await this.#recount()
    // left by a process before this one: its calls were first
    this.#isSpooling = this.#kept > 0
    this.#tickAfter(0)
  }

  async publish(message: OutgoingMessage): Promise<void> {
    const { remote, clock } = this.#options
    if (this.#closing !== undefined) return remote.publish(message)
    if (message.toTemporary === true) return this.#reply(message)
    const due = dueOf(message, clock.now())
    for (;;) {
      if (this.#gate !== undefined) await this.#gate
      else if (this.#isSpooling) return this.#keep(message, due)
      else if (await this.#sendNow(dueAt(message, due, clock.now()))) return
    }
  }

  consume(queue: string, options: ConsumeOptions, handle: (delivery: Delivery) => Promise<Verdict>): Promise<Subscription> {
    const { remote } = this.#options
    return options.temporary === true && this.#closing === undefined
      ? this.#late.open(queue, options, handle)
      : remote.consume(queue, options, handle)
  }

  count(queue: string): Promise<QueueCount> {
    return this.#options.remote.count(queue)
  }

  browse(queue: string, visit: (delivery: Delivery) => Visit | Promise<Visit>): Promise<void> {
    return this.#options.remote.browse(queue, visit)
  }

  ping(): Promise<void> {
    return this.#options.remote.ping()
  }

  async close(): Promise<void> {
    this.#closing ??= this.#close()
    await this.#closing
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #close(): Promise<void> {
    const { remote, local, log } = this.#options
    this.#cancelTick()
    this.#late.close()
    await remote.close()
    // it ends soon, now that nothing can be sent
    await this.#looking
    this.#turn.close()
    await local.close()
    if (this.#kept > 0) log.warn(`The outbox still holds ${this.#kept} message(s); the next process of this service and dataDir sends them.`)
  }

  /** Answers `false` where the remote broker is away. */
  async #sendNow(message: OutgoingMessage): Promise<boolean> {
    try {
      await this.#options.remote.publish(message)
      return true
    } catch (error) {
      if (!isAway(error)) throw error
      if (!this.#isSpooling) {
        this.#options.log.warn(`Calls are kept in the outbox until RabbitMQ is back, and sent then. ${error.message}`)
      }
      this.#isSpooling = true
      return false
    }
  }

  async #keep(message: OutgoingMessage, due: number): Promise<void> {
    const { local, limit } = this.#options
    if (this.#kept >= limit) throw full(message, this.#kept)
    this.#storing += 1
    this.#begun += 1
    this.#kept += 1
    try {
      await local.publish(toSpooled(message, due))
    } catch (error) {
      this.#kept -= 1
      throw notKept(message, error)
    } finally {
      this.#storing -= 1
      if (this.#storing === 0) this.#onStored()
    }
    // when it is being emptied: callers that wait for a batch each cannot fill it faster than that
    if (this.#drain.isMoving) await this.#step()
  }

  #step(): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#options.clock.after(GATE_MS, resolve)
      // it never rejects
      void this.#drain.step().then(() => {
        cancel()
        resolve()
      })
    })
  }

  /** Whoever waits for it has no use for it after a restart; it is tried for as long as it would be without an outbox. */
  async #reply(message: OutgoingMessage): Promise<void> {
    const { remote, clock } = this.#options
    const deadline = clock.now() + REPLY_PATIENCE_MS
    for (;;) {
      try {
        return await remote.publish(message)
      } catch (error) {
        if (!isAway(error) || clock.now() >= deadline) throw error
      }
      await pause(PAUSE_MS)
      await remote.ping().catch(() => {})
    }
  }

  #tickAfter(ms: number): void {
    this.#cancelTick = this.#options.clock.after(ms, () => {
      // #look never rejects
      this.#looking = this.#look().then(() => {
        if (this.#closing === undefined) this.#tickAfter(TICK_MS)
      })
    })
  }

  async #look(): Promise<void> {
    try {
      await this.#recount()
      if (this.#kept > 0 || this.#isSpooling) await this.#send()
      this.#trouble = ''
    } catch (error) {
      // that it is away was told, and is no news
      if (this.#closing !== undefined || isAway(error)) return
      const trouble = error instanceof Error ? error.message : 'unknown reason'
      if (trouble !== this.#trouble) this.#options.log.warn(`The outbox cannot be emptied; trying on. ${trouble}`)
      this.#trouble = trouble
    }
  }

  async #send(): Promise<void> {
    await this.#options.remote.ping()
    await this.#late.ready()
    const passed = await this.#drain.pass()
    await this.#recount()
    if (this.#isSpooling && passed !== 'stuck' && this.#kept <= NEARLY_EMPTY) await this.#leave()
  }

  /** Holds calls back for a moment, sends the rest, and lets them go to the remote broker from then on. */
  async #leave(): Promise<void> {
    let open = (): void => {}
    const gate = new Promise<void>((resolve) => (open = resolve))
    const lift = (): void => {
      if (this.#gate === gate) this.#gate = undefined
      open()
    }
    this.#gate = gate
    const cancel = this.#options.clock.after(GATE_MS, lift)
    try {
      await this.#stored()
      while (this.#gate === gate && this.#isSpooling) await this.#sendRest(gate)
    } finally {
      cancel()
      lift()
    }
  }

  async #sendRest(gate: Promise<void>): Promise<void> {
    const passed = await this.#drain.pass()
    await this.#recount()
    if (this.#gate !== gate) return
    if (passed === 'stuck') this.#gate = undefined
    else if (this.#kept === 0) {
      this.#isSpooling = false
      this.#options.log.info('The outbox is empty; calls go to RabbitMQ again.')
    } else if (passed === 'elsewhere') await pause(PAUSE_MS)
  }

  async #stored(): Promise<void> {
    if (this.#storing > 0) await new Promise<void>((resolve) => (this.#onStored = resolve))
  }

  async #recount(): Promise<void> {
    const [storing, begun] = [this.#storing, this.#begun]
    const { waiting } = await this.#options.local.count(OUTBOX)
    // what was being stored meanwhile may be counted there already, or not yet
    const doubtful = storing + this.#begun - begun
    this.#kept = Math.min(Math.max(this.#kept, waiting), waiting + doubtful)
  }
}

/** Not `QUEUE_FULL`: who says that is there, and wants to get less. */
const isAway = (error: unknown): error is ErrandError =>
  error instanceof ErrandError && (error.code === 'BROKER_UNREACHABLE' || error.code === 'PUBLISH_TIMEOUT')

function full({ id, queue }: OutgoingMessage, kept: number): ErrandError {
  return new ErrandError(
    'QUEUE_FULL',
    `Cannot publish message ${id} to "${queue}": RabbitMQ is away, and the outbox holds ${kept} messages already. ` +
      'Answer 503 until RabbitMQ is back, or raise outboxLimit.',
  )
}

function notKept({ id, queue }: OutgoingMessage, error: unknown): ErrandError {
  const what = `Cannot publish message ${id} to "${queue}": RabbitMQ is away, and the outbox did not take it.`
  if (error instanceof ErrandError) return new ErrandError(error.code, `${what} ${error.message}`, { cause: error })
  return new ErrandError('BROKER_UNREACHABLE', `${what} Its file failed; see the cause.`, { cause: error })
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
