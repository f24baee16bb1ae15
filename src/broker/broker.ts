import type { Run } from '../core/run.js'

/** What a broker can do; the defaults of a new driver are the cautious answers. */
export interface BrokerFeatures {
  /** The name shown to people: `sqlite`, `rabbitmq`, `memory`. Never asked to decide behaviour. */
  readonly name: string
  /** A confirmed message survives a crash of every process and of the machine. */
  readonly survivesRestart: boolean
  /** Processes on other machines share the queues. */
  readonly crossHost: boolean
  /** Delays are rounded up to this many milliseconds. */
  readonly delayStepMs: number
  /** A message published in the turn of a verdict, and before it, is there wherever the verdict counts. */
  readonly storesInOrder: boolean
}

/** A message on its way to a queue. */
export interface OutgoingMessage {
  /** Unique id; the same through all attempts. */
  readonly id: string
  readonly queue: string
  /** The sealed envelope; a broker never looks inside. */
  readonly body: Buffer
  /** 1 for a first run; a retry carries the number of the run it asks for. @defaultValue 1 */
  readonly attempt?: number | undefined
  /** Milliseconds before it may be delivered. @defaultValue 0 */
  readonly delayMs?: number | undefined
  /** 0 to 9; higher is delivered sooner where the broker can. @defaultValue 4 */
  readonly priority?: number | undefined
  /**
   * `queue` is the temporary queue of another process (a caller that waits for an outcome): it is not created here, the message
   * need not outlive it, and when it is gone `publish` rejects with `PUBLISH_UNROUTABLE`. @defaultValue false
   */
  readonly toTemporary?: boolean | undefined
}

/** A message handed to a consumer. */
export interface Delivery {
  readonly id: string
  readonly queue: string
  readonly body: Buffer
  /** Number of this run, from 1: runs asked for before, plus runs whose process died. */
  readonly attempt: number
  /** Of these, the runs that ended with the death or loss of the process. */
  readonly crashes: number
  readonly priority: number
  /** The note of the last verdict that had one: of earlier runs that failed, and of why it is a dead letter. */
  readonly note?: string | undefined
  /**
   * Aborts when the broker has given the message to somebody else although the process lives: the run may end at once, and its
   * verdict no longer counts. Absent where the broker cannot tell.
   */
  readonly lost?: AbortSignal | undefined
  /** The run of it that is written down as begun, where that was done before it was handed over. */
  readonly begun?: Run | undefined
}

/** A message that is about to be handed to a consumer. */
export type Claimed = Pick<Delivery, 'id' | 'attempt'>

/** How a delivery ends. Every delivery is settled by exactly one of these. */
export type Verdict =
  /** It is done: the message goes. */
  | { readonly kind: 'done' }
  /** Run it again after `delayMs`, as the next attempt, which finds `note` on its delivery. */
  | { readonly kind: 'again'; readonly delayMs: number; readonly note?: string | undefined }
  /** It could not begin: deliver it again after `delayMs`, as it is. That is no attempt. */
  | { readonly kind: 'later'; readonly delayMs: number }
  /** Hand it back untouched for another consumer: it did not run, and does not count as an attempt where the broker can help it. */
  | { readonly kind: 'release' }
  /** Move it, bytes unchanged, to the dead-letter queue with this note. */
  | { readonly kind: 'dead'; readonly note: string }

/** What becomes of a message that was looked at. */
export type Visit =
  /** It stays where it is. */
  | { readonly kind: 'keep' }
  /** It stays, and nothing further is looked at. */
  | { readonly kind: 'stop' }
  /** It goes for good. */
  | { readonly kind: 'remove' }
  /** It goes, and `message` is stored in its stead: both or, after a crash, at worst `message` as well as the old one. */
  | { readonly kind: 'replace'; readonly message: OutgoingMessage }

export interface ConsumeOptions {
  /** Deliveries handed out and not yet settled, at most. */
  readonly concurrency: number
  /** The queue belongs to this process alone and goes with it; used for replies. @defaultValue false */
  readonly temporary?: boolean | undefined
  /**
   * Writes down that runs begin, and answers which did, in the order of what is claimed: each comes with its delivery. It is called within the
   * transaction of the claim, by a broker that has one; it may be called again after a roll-back.
   */
  readonly begin?: ((claimed: readonly Claimed[]) => readonly (Run | undefined)[]) | undefined
}

/** A running consumer. */
export interface Subscription {
  /** Takes nothing new from now on. What was handed out stays to be settled; what was only buffered goes back. Safe twice. */
  stop(): Promise<void>
}

/**
 * Where messages wait. A driver promises: a resolved `publish` survives the crash of this process (and what
 * `features.survivesRestart` says); a delivery that was not settled because its process died is delivered again, with
 * `attempt` and `crashes` one higher; nothing is delivered before its delay is over.
 */
export interface Broker extends AsyncDisposable {
  readonly features: BrokerFeatures
  /**
   * Resolves once the message would survive a crash of this process.
   * @throws ErrandError `BROKER_UNREACHABLE`, `BROKER_CLOSED`, `PUBLISH_TIMEOUT`, `PUBLISH_UNROUTABLE`, `QUEUE_FULL`
   */
  publish(message: OutgoingMessage): Promise<void>
  /**
   * Hands every delivery of `queue` to `handle`; its verdict settles the delivery. A throw of `handle` is a defect and counts as
   * a lost run. Resolves once the queue exists and deliveries can come.
   */
  consume(queue: string, options: ConsumeOptions, handle: (delivery: Delivery) => Promise<Verdict>): Promise<Subscription>
  /** How many messages of `queue` wait (due and delayed together, where the broker can tell), and how many lie dead. */
  count(queue: string): Promise<QueueCount>
  /**
   * Shows every message that is due in `queue` to `visit`, once, the next one first, until that says stop; its answers are carried
   * out one by one. A throw of `visit` keeps the message and ends the look with that error. Messages that somebody holds are not
   * seen, nor are delayed ones.
   * @throws ErrandError `BROKER_UNREACHABLE`, `BROKER_CLOSED`, and what `publish` rejects with
   */
  browse(queue: string, visit: (delivery: Delivery) => Visit | Promise<Visit>): Promise<void>
  /** A round trip to where messages are kept. @throws ErrandError `BROKER_UNREACHABLE`, `BROKER_CLOSED` */
  ping(): Promise<void>
  /** Stops consumers, waits for publishes under way, lets go of everything. Safe twice. */
  close(): Promise<void>
}

/** Messages of one queue. */
export interface QueueCount {
  readonly waiting: number
  readonly dead: number
}

/** The queue where `queue`'s dead letters lie; it is consumed like any other. */
export const deadQueueOf = (queue: string): string => `${queue}.dead`
