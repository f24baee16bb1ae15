import type { Broker } from '../broker/broker.js'
import type { Locks } from '../broker/locks.js'
import type { OnCommit } from '../broker/on-commit.js'
import type { Clock } from '../core/clock.js'
import type { Logger } from '../core/logger.js'
import type { Messages } from '../core/message.js'
import type { ErrorReporter } from '../core/report.js'
import type { ConfiguredSchedule } from '../core/schedule/schedule.js'
import type { Signer } from '../core/seal/signer.js'
import type { Tracking } from './tracking/tracking.js'

/** Settings of the configuration that calling and running tasks need; `Config` has all of them. */
export interface RuntimeSettings {
  readonly outsideRequest: 'enqueue' | 'inline' | 'error'
  readonly expiresMs: number
  readonly resultTimeoutMs: number
  readonly retries: number
  readonly maxCrashes: number
  readonly timeLimitMs: number
  readonly timeLimitGraceMs: number
  readonly reverify: boolean
  readonly secretHeaders: readonly string[]
  /** Whose schedules these are; without names nothing is scheduled. */
  readonly service?: string | undefined
  readonly environment?: string | undefined
  /** Folder of what this host keeps. */
  readonly dataDir?: string | undefined
  /** Schedules beside those that stand at their tasks. */
  readonly schedules?: readonly ConfiguredSchedule[] | undefined
  readonly worker: {
    readonly queues: readonly string[]
    /** Tasks that one worker process runs at once. */
    readonly concurrency: number
  }
}

/** How completion callbacks are sent. */
export interface CallbackSettings {
  /** Hosts that may be called: `example.org`, `*.example.org`, `*`, each also with `:port` or `:*`. */
  readonly hosts: readonly string[]
  /** Addresses that only this host or network knows may be called, and http: URLs. */
  readonly allowPrivate: boolean
  /** How long one call may take. */
  readonly timeoutMs: number
  /** Further calls after one that failed. */
  readonly retries: number
  /** Sign what is sent, each for itself. */
  readonly secrets: readonly Buffer[]
}

/** Everything that calling and running tasks needs, put together by `compose.ts`. One per process. */
export interface Runtime {
  readonly settings: RuntimeSettings
  readonly broker: Broker
  /** Names that one process holds at a time, opened when they are asked for first. Without it no limit holds. */
  readonly locks?: (() => Promise<Locks>) | undefined
  /** Keeps calls made within a transaction of the application until that commits; absent without a configured database. */
  readonly onCommit?: OnCommit | undefined
  /** Writes down how tasks stand. Without it nothing is known of them but their outcomes, by who made the call. */
  readonly tracking?: Tracking | undefined
  /** Without it no callbacks are sent. */
  readonly callbacks?: CallbackSettings | undefined
  readonly messages: Messages
  /** Signs what people carry: cookies, links. Without it nothing signed holds in another process. */
  readonly signer?: Signer | undefined
  readonly clock: Clock
  readonly log: Logger
  readonly report: ErrorReporter
}
