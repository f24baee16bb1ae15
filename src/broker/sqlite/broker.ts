import type { Clock } from '../../core/clock.js'
import type { Logger } from '../../core/logger.js'
import { promised } from '../../core/promised.js'
import { ErrandError } from '../../errors.js'
import type { Bell } from '../../sqlite/bell.js'
import { sqliteFailure } from '../../sqlite/failure.js'
import type { GroupCommit } from '../../sqlite/group-commit.js'
import { untilNotBusy } from '../../sqlite/lock.js'
import type { QueueFile } from '../../sqlite/queue-file.js'
import type { Room } from '../../sqlite/room.js'
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
import { browse } from './browse.js'
import { Consumer } from './consumer.js'
import { Ledger, type QueueRow } from './ledger.js'
import { Registration } from './registration.js'

/** What `openSqliteBroker` has opened and resolved. */
export interface SqliteBrokerParts {
  readonly namespace: string
  readonly clock: Clock
  readonly log: Logger
  readonly room: Room
  readonly bell: Bell
}

/**
 * How often a consuming process looks at the file by itself: for commits whose bell was not heard, and for processes that died.
 */
const TICK_MS = 500

/** Queues in an SQLite file that the processes of one machine share. */
export class SqliteBroker implements Broker {
  readonly features: BrokerFeatures
  readonly #parts: SqliteBrokerParts
  readonly #ledger: Ledger
  readonly #writer: GroupCommit
  readonly #registration: Registration
  readonly #consumers = new Set<Consumer>()
  /** Lasting queues that are committed; their numbers never change, so this saves a query for each message. */
  readonly #lasting = new Map<string, number>()
  /** Queues that are about to be among these. */
  readonly #learning = new Set<string>()
  readonly #file: QueueFile
  readonly #endListening: readonly (() => void)[]
  #cancelTick: (() => void) | undefined
  #dataVersion = 0
  #closing: Promise<void> | undefined

  constructor(parts: SqliteBrokerParts) {
    this.#parts = parts
    const { room } = parts
    this.features = { name: 'sqlite', survivesRestart: room.durability === 'full', crossHost: false, delayStepMs: 1, storesInOrder: true }
    this.#file = room.opened
    this.#ledger = new Ledger(room.db)
    this.#writer = room.writer
    this.#endListening = [room.onCommit(() => this.#tellNews()), room.onLost((error) => this.#giveUp(error))]
    this.#registration = new Registration(this.#ledger, this.#writer, parts.clock)
  }

  publish(message: OutgoingMessage): Promise<void> {
    return promised(() => {
      const store = this.publishing(message)
      const done = (isStored: boolean): void => {
        if (!isStored) throw unroutable(message.queue)
      }
      return this.#writer.submit(store, { done })
    })
  }

  /**
   * For a part that shares the room: answers what stores the message, within a transaction, unless its queue is a temporary one that is gone.
   * @throws ErrandError `BROKER_CLOSED`
   */
  publishing(message: OutgoingMessage): () => boolean {
    this.#refuseClosed('publish to queue', message.queue)
    const due = this.#dueOf(message)
    if (message.toTemporary !== true && !this.#lasting.has(message.queue)) this.#learn(message.queue)
    return () => this.#store(message, due)
  }

  async consume(queue: string, options: ConsumeOptions, handle: (delivery: Delivery) => Promise<Verdict>): Promise<Subscription> {
    this.#refuseClosed('consume queue', queue)
    const { clock, log, bell } = this.#parts
    const replaceOwner = (lost: number): Promise<number> => this.#registration.replace(lost)
    const parts = { ledger: this.#ledger, writer: this.#writer, clock, log, replaceOwner }
    const consumer = new Consumer(parts, { ...options, queue, name: this.#name(queue), handle })
    this.#consumers.add(consumer)
    bell.listen(() => this.#lookAll())
    this.#cancelTick ??= clock.after(TICK_MS, () => this.#tick())
    try {
      await consumer.enroll(await this.#registration.number())
      this.#refuseClosed('consume queue', queue)
    } catch (error) {
      await this.#end(consumer)
      throw error
    }
    return { stop: () => this.#end(consumer) }
  }

  async count(queue: string): Promise<QueueCount> {
    return this.#read(`count queue "${queue}"`, () => this.#ledger.count(this.#name(queue)))
  }

  async browse(queue: string, visit: (delivery: Delivery) => Visit | Promise<Visit>): Promise<void> {
    const read = <T>(work: () => T): Promise<T> => this.#read(`browse queue "${queue}"`, work)
    const found = await read(() => this.#ledger.findQueue(this.#name(queue)))
    if (found === undefined) return
    await this.#writer.submit(() => this.#ledger.readyDue(found.number, this.#parts.clock.now()))
    const write = <T>(work: () => T): Promise<T> => this.#writer.submit(work)
    const store = (message: OutgoingMessage): void => void this.#store(message, this.#dueOf(message))
    await browse({ ledger: this.#ledger, read, write, store }, { name: queue, number: found.number }, visit)
  }

  async ping(): Promise<void> {
    await this.#read('ping', () => this.#ledger.ping())
    this.#file.checkNow()
  }

  async close(): Promise<void> {
    this.#closing ??= this.#close()
    await this.#closing
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  /** Gives the messages of processes that are gone to the living. */
  async reap(): Promise<void> {
    await this.#registration.reap()
  }

  async #close(): Promise<void> {
    const { room, bell } = this.#parts
    this.#cancelTick?.()
    try {
      for (const consumer of this.#consumers) await consumer.stop()
      // from here on a verdict comes too late, also one given while the messages are being given back
      for (const consumer of this.#consumers) consumer.close()
      if (!this.#file.isLost) await this.#registration.leave()
    } catch (error) {
      this.#parts.log.warn(`Cannot give back what was in hand; it is delivered again as after a crash. ${String(error)}`)
    } finally {
      for (const consumer of this.#consumers) consumer.close()
    }
    await this.#writer.idle()
    for (const end of this.#endListening) end()
    bell.close()
    await room.leave()
  }

  /** What it has in hand is settled still, so it stays known as long as there is any. */
  async #end(consumer: Consumer): Promise<void> {
    await consumer.stop()
    if (consumer.isOver) this.#consumers.delete(consumer)
  }

  #refuseClosed(what: string, queue?: string): void {
    if (this.#closing === undefined) return
    const which = queue === undefined ? what : `${what} "${queue}"`
    throw new ErrandError('BROKER_CLOSED', `Cannot ${which}: the connection to ${this.#parts.room.file} is closed. Open a new one.`)
  }

  #name(queue: string): string {
    return this.#parts.namespace === '' ? queue : `${this.#parts.namespace}:${queue}`
  }

  /** Milliseconds since the epoch, 0 for at once. */
  #dueOf({ delayMs = 0 }: OutgoingMessage): number {
    return delayMs > 0 ? this.#parts.clock.now() + Math.ceil(delayMs) : 0
  }

  /** Stores a message inside a transaction. Answers `false` where its queue is a temporary one that is gone. */
  #store(message: OutgoingMessage, due: number): boolean {
    const number = message.toTemporary === true ? undefined : this.#lasting.get(message.queue)
    const queue = number ?? this.#queueOf(message)?.number
    if (queue !== undefined) this.#ledger.publish(queue, message, due)
    return queue !== undefined
  }

  /** Makes a lasting queue known. Its number is kept once it is committed: one that was rolled back would lead nowhere. */
  #learn(name: string): void {
    if (this.#learning.has(name)) return
    this.#learning.add(name)
    const done = ({ number, owner }: QueueRow): void => {
      this.#learning.delete(name)
      if (owner === null) this.#lasting.set(name, number)
    }
    // what is wrong is told to who publishes, in the same transaction
    const failed = (): void => void this.#learning.delete(name)
    void this.#writer.submit(() => this.#ledger.queue(this.#name(name)), { done, failed, early: true })
  }

  #queueOf(message: OutgoingMessage): QueueRow | undefined {
    const name = this.#name(message.queue)
    if (message.toTemporary !== true) return this.#ledger.queue(name)
    const found = this.#ledger.findQueue(name)
    return found?.owner === null ? undefined : found
  }

  async #read<T>(what: string, work: () => T): Promise<T> {
    this.#refuseClosed(what)
    this.#file.check()
    try {
      return await untilNotBusy(work)
    } catch (error) {
      throw sqliteFailure(`Cannot ${what}`, this.#parts.room.file, error)
    }
  }

  #tellNews(): void {
    if (!this.#ledger.takeNews()) return
    this.#parts.bell.ring()
    this.#lookAll()
  }

  #lookAll(): void {
    for (const consumer of this.#consumers) consumer.look()
  }

  #tick(): void {
    this.#cancelTick = this.#parts.clock.after(TICK_MS, () => this.#tick())
    // #watchOver ends in every case
    void this.#watchOver()
  }

  async #watchOver(): Promise<void> {
    try {
      this.#file.check()
      for (const consumer of this.#consumers) if (consumer.isOver) this.#consumers.delete(consumer)
      const version = this.#ledger.dataVersion()
      if (version !== this.#dataVersion) this.#lookAll()
      this.#dataVersion = version
      await this.#registration.reap()
      const number = await this.#registration.renew()
      if (number !== undefined) await this.#enrollAll(number)
    } catch (error) {
      if (this.#closing !== undefined || this.#file.isLost) return
      this.#parts.log.warn(`Cannot look after the queues in ${this.#parts.room.file}. ${String(error)}`)
    }
  }

  /** Nothing that is written from here on would be found again. */
  #giveUp(error: ErrandError): void {
    this.#parts.log.error(error.message)
    this.#cancelTick?.()
    for (const consumer of this.#consumers) consumer.giveUp()
  }

  async #enrollAll(owner: number): Promise<void> {
    this.#parts.log.warn('This process was silent for so long that others took its messages over; it goes on under a new number.')
    for (const consumer of this.#consumers) await consumer.enroll(owner)
  }
}

const unroutable = (queue: string): ErrandError =>
  new ErrandError('PUBLISH_UNROUTABLE', `Cannot publish to temporary queue "${queue}": its process is gone. Nobody waits for this message any more.`)
