import type { Channel } from 'amqplib'
import type { Logger } from '../../../core/logger.js'
import { assertNever } from '../../../errors.js'
import { differenceOf } from './difference.js'
import { isRefusal, REPLY, replyCodeOf, toErrandError } from '../link/errors.js'
import type { Session } from '../link/session.js'
import type { Statement, Topology } from './topology.js'

/** Declares queues and delay levels on the server, and remembers what stands so that a publish asks once. */
export class Declarer {
  readonly #topology: Topology
  readonly #log: Logger
  readonly #standing = new Set<string>()
  readonly #warned = new Set<string>()

  constructor(topology: Topology, log: Logger) {
    this.#topology = topology
    this.#log = log
  }

  /** The queue and its dead-letter queue. @throws ErrandError `BROKER_REFUSED`, `BROKER_UNREACHABLE` */
  async queue(session: Session, queue: string): Promise<void> {
    await this.#declare(session, this.#topology.queue(queue))
    this.#standing.add(queue)
  }

  async temporaryQueue(session: Session, queue: string): Promise<void> {
    await this.#declare(session, this.#topology.temporaryQueue(queue))
  }

  /** Whatever a message to `queue` that enters the delays at `level` (none: not delayed) needs and what is not known to stand. */
  async route(session: Session, queue: string, level: number | undefined): Promise<void> {
    if (!this.#standing.has(queue)) await this.queue(session, queue)
    if (level === undefined) return
    for (let lower = 0; lower <= level; lower++) await this.#once(session, `level ${lower}`, () => this.#topology.delayLevel(lower))
    await this.#once(session, `due ${queue}`, () => this.#topology.dueBinding(queue))
  }

  /** The server no longer has what it had: the next message declares it again. */
  forget(): void {
    this.#standing.clear()
  }

  async #once(session: Session, what: string, statements: () => readonly Statement[]): Promise<void> {
    if (this.#standing.has(what)) return
    await this.#declare(session, statements())
    this.#standing.add(what)
  }

  async #declare(session: Session, statements: readonly Statement[]): Promise<void> {
    for (const statement of statements) {
      try {
        await session.statement((channel) => issue(channel, statement))
      } catch (error) {
        await this.#useAsItIs(session, statement, error)
      }
    }
  }

  /** Arguments cannot be changed on the server, and a user may lack the right to declare: what is there will do. */
  async #useAsItIs(session: Session, statement: Statement, refused: unknown): Promise<void> {
    const what = `Cannot declare the ${statement.kind} "${statement.name}"`
    const isPassable = isRefusal(refused) || replyCodeOf(refused) === REPLY.precondition
    const isBinding = statement.kind === 'bind-queue' || statement.kind === 'bind-exchange'
    if (!isPassable || isBinding) throw toErrandError(what, refused)
    // where that may not be asked either, a message that finds no queue comes back; nobody else declares what is exclusive
    const isUncheckable = isRefusal(refused) && session.guardsChecks && !(statement.kind === 'queue' && statement.exclusive)
    try {
      if (!isUncheckable) await session.statement((channel) => check(channel, statement))
    } catch {
      throw toErrandError(what, refused)
    }
    if (this.#warned.has(statement.name)) return
    this.#warned.add(statement.name)
    this.#log.warn(`RabbitMQ: ${differenceOf(statement, refused)}.`)
  }
}

function issue(channel: Channel, statement: Statement): Promise<unknown> {
  switch (statement.kind) {
    case 'queue': {
      const { name, kind: _kind, ...options } = statement
      return channel.assertQueue(name, options)
    }
    case 'exchange':
      return channel.assertExchange(statement.name, 'topic', { durable: true })
    case 'bind-queue':
      return channel.bindQueue(statement.name, statement.source, statement.pattern)
    case 'bind-exchange':
      return channel.bindExchange(statement.name, statement.source, statement.pattern)
    default:
      return assertNever(statement)
  }
}

const check = (channel: Channel, statement: Statement): Promise<unknown> =>
  statement.kind === 'queue' ? channel.checkQueue(statement.name) : channel.checkExchange(statement.name)
