import { EventEmitter } from 'node:events'
import type { Socket } from 'node:net'
import type { Channel, ChannelModel, ConfirmChannel } from 'amqplib'
import { ErrandError } from '../../../errors.js'
import { deferred, within } from './deadline.js'

/** An answer to close that takes longer does not come: the other side is gone. */
const CLOSE_TIMEOUT_MS = 2000

/** What others ask does not wait longer than this for an answer that somebody else waits for. */
const LONGEST_TURN_MS = 1000

/** Answers to anything but messages take milliseconds; on an overloaded server seconds. */
const STATEMENT_TIMEOUT_MS = 10_000

interface SessionEvents {
  blocked: [reason: string]
  unblocked: []
  gone: [reason: unknown]
}

/** One connection from its making to its loss, with the channels on it. */
export class Session extends EventEmitter<SessionEvents> {
  /** Distinguishes what belongs to this connection from what belonged to an earlier one. */
  readonly epoch: number
  /** Why the server takes no messages at the moment: out of memory or disk. */
  blockedBy: string | undefined
  /** It did not break: it was given up for another one. */
  wasLeft = false
  readonly #model: ChannelModel
  readonly #stream: Socket
  #isUp = true
  #control: Channel | undefined
  #statements: Promise<unknown> = Promise.resolve()

  constructor(model: ChannelModel, epoch: number) {
    super()
    // every statement and every consumer listens
    this.setMaxListeners(0)
    this.epoch = epoch
    this.#model = model
    // the stream is not in the published types of the client library; it is the socket
    this.#stream = (model.connection as unknown as { stream: Socket }).stream
    let reason: unknown = new ErrandError('BROKER_UNREACHABLE', 'The server closed the connection.')
    model.on('error', (error) => (reason = error))
    model.on('close', (error) => this.#end(error ?? reason))
    model.on('blocked', (why) => this.#setBlocked(why))
    model.on('unblocked', () => this.#setBlocked(undefined))
    // closed in the same packet in which it was opened: its event came before anybody could listen
    if (this.#stream.writableEnded || this.#stream.destroyed) this.#end(reason)
  }

  get isUp(): boolean {
    return this.#isUp
  }

  /** Whether a delivery that is handed back counts as one that was lost; so it is before version 4.3. */
  get countsReturns(): boolean {
    return !this.#isRecent
  }

  /** Whether only who may declare a queue may ask whether it is there; so it is from version 4.3 on. */
  get guardsChecks(): boolean {
    return this.#isRecent
  }

  /** Version 4.3 or newer. It is asked for, never tried out: servers ignore arguments that they do not know. */
  get #isRecent(): boolean {
    const [major = 0, minor = 0] = this.#model.connection.serverProperties.version.split('.').map(Number)
    return major > 4 || (major === 4 && minor >= 3)
  }

  /** A new channel; an error on it closes it alone, never the connection. */
  channel(): Promise<Channel> {
    return this.bounded(this.#model.createChannel().then(heard))
  }

  /** A new channel on which the server confirms every message. */
  confirmChannel(): Promise<ConfirmChannel> {
    return this.bounded(this.#model.createConfirmChannel().then(heard))
  }

  /** `work`, or a rejection as soon as the connection is lost or the server takes too long. */
  async bounded<T>(work: Promise<T>, ms = STATEMENT_TIMEOUT_MS): Promise<T> {
    const lost = deferred<never>()
    const onGone = (): void => lost.reject(new ErrandError('BROKER_UNREACHABLE', 'The connection to RabbitMQ was lost.'))
    if (!this.#isUp) onGone()
    this.once('gone', onGone)
    try {
      return await within(Promise.race([work, lost.promise]), ms, () => {
        throw new ErrandError('BROKER_UNREACHABLE', `RabbitMQ did not answer within ${ms} ms.`)
      })
    } finally {
      this.off('gone', onGone)
    }
  }

  /**
   * Runs one statement on a channel kept for that, one after the other; a refused one costs only this channel. One without an answer
   * keeps the channel for itself, and the next ones go over another.
   */
  statement<T>(run: (channel: Channel) => Promise<T>, ms?: number): Promise<T> {
    const turn = this.#statements
    const result = turn.then(() => this.#onControl(run, ms))
    const answered = result.then(() => {}, () => {})
    this.#statements = turn.then(() => within(answered, LONGEST_TURN_MS, () => (this.#control = undefined)))
    return result
  }

  /** Closes a channel; gives up when the server does not answer. */
  async closeChannel(channel: Channel): Promise<void> {
    if (!this.#isUp) return
    try {
      await this.bounded(channel.close(), CLOSE_TIMEOUT_MS)
    } catch {
      // closed already, by the server or with the connection, or no answer
    }
  }

  /** Asks for a sign of life, and gives the connection up where nothing at all comes for `ms`. */
  async expectLife(ms: number): Promise<void> {
    const before = this.#stream.bytesRead
    const asked = this.statement((channel) => channel.prefetch(0)).then(() => true, () => true)
    const isAnswered = await within(asked, ms, () => false)
    if (!isAnswered && this.#stream.bytesRead === before) this.abandon('it answered nothing')
  }

  /** Gives the connection up; what was under way on it counts as lost. */
  abandon(why: string): void {
    this.#end(new ErrandError('BROKER_UNREACHABLE', why))
  }

  /** Gives up a connection that stands but is of no use: another one may be made at once. */
  leave(why: string): void {
    this.wasLeft = this.#isUp
    this.abandon(why)
  }

  /** Ends the connection, politely where the other side answers. */
  async close(politely: boolean): Promise<void> {
    if (!this.#isUp) return
    try {
      if (politely) await within(this.#model.close(), CLOSE_TIMEOUT_MS, () => undefined)
    } catch {
      // lost in the meantime: the aim is reached
    }
    this.abandon('the broker of this process was closed')
  }

  async #onControl<T>(run: (channel: Channel) => Promise<T>, ms: number | undefined): Promise<T> {
    const channel = (this.#control ??= await this.#freshControl())
    try {
      const answer = await this.bounded(run(channel), ms)
      if (this.#control !== channel) void this.closeChannel(channel)
      return answer
    } catch (error) {
      // refused statements close the channel
      if (this.#control === channel) this.#control = undefined
      void this.closeChannel(channel)
      throw error
    }
  }

  async #freshControl(): Promise<Channel> {
    const channel = await this.channel()
    channel.once('close', () => {
      if (this.#control === channel) this.#control = undefined
    })
    return channel
  }

  #setBlocked(reason: string | undefined): void {
    this.blockedBy = reason
    if (reason === undefined) this.emit('unblocked')
    else this.emit('blocked', reason)
  }

  #end(reason: unknown): void {
    if (!this.#isUp) return
    this.#isUp = false
    this.#control = undefined
    // the client library leaves the socket of a silent server open, and destroys without a word when given no error
    this.#stream.destroy(new ErrandError('BROKER_UNREACHABLE', 'The connection to RabbitMQ was given up.'))
    this.emit('gone', reason)
  }
}

/** Without a listener an error of one channel would end the whole connection and every channel on it. */
function heard<C extends Channel>(channel: C): C {
  channel.on('error', () => {})
  channel.on('handler-error', () => {})
  return channel
}
