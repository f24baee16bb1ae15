import type { Duration } from '../src/core/duration.js'

/** How much of a message is encrypted, beyond the seal that authenticates all of it. */
export type SealScope = 'secrets' | 'context' | 'message'

/** Where messages wait, after the `broker` key of the configuration was read. */
export type BrokerConfig =
  | { readonly kind: 'sqlite'; readonly file: string; readonly durability: 'full' | 'normal' }
  | {
      readonly kind: 'rabbitmq'
      /** Nodes of one cluster; secrets inside, show only through `maskUrl`. */
      readonly urls: readonly string[]
      /** Prefix of all queues and exchanges; default: the service. */
      readonly namespace: string
      readonly queueType: 'quorum' | 'classic'
      readonly connectTimeoutMs: number
      readonly confirmTimeoutMs: number
      readonly heartbeatSeconds: number
      /** What the server allows between a delivery and its acknowledgement. */
      readonly ackTimeoutMs: number
      /** Files for TLS with amqps: URLs; all optional. */
      readonly tls: { readonly ca?: string; readonly cert?: string; readonly key?: string; readonly passphrase?: string }
    }
  | { readonly kind: 'memory' }

/** Where the states of tasks are kept, after the `store` key of the configuration was read. */
export type StoreConfig =
  | { readonly kind: 'off' }
  | { readonly kind: 'memory' }
  | { readonly kind: 'sqlite'; readonly file: string; readonly durability: 'full' | 'normal' }
  /** A secret inside; show only through `maskUrl`. */
  | { readonly kind: 'postgres'; readonly url: string }

/** A schedule beside those that stand at their tasks; exactly one of `cron` and `every` is there. */
export interface ScheduleConfig {
  readonly task: string
  /** Default: that of the task. */
  readonly name?: string
  readonly cron?: string
  readonly every?: Duration
  readonly timezone?: string
  readonly arguments?: readonly unknown[]
  readonly missed?: 'once' | 'skip'
}

/** How completion callbacks are sent. */
export interface CallbacksConfig {
  /** Hosts that may be called; empty: none. */
  readonly hosts: readonly string[]
  readonly allowPrivate: boolean
  /** A `whsec_…` text that signs what is sent; `undefined`: derived from the sealing keys. */
  readonly secret: string | undefined
  readonly timeoutMs: number
  readonly retries: number
}

/** The worker part of the configuration. */
export interface WorkerConfig {
  /** The server spawns and supervises the worker itself. Off under a process manager that runs `errand worker`. */
  readonly spawn: boolean
  /** Worker processes of this service on this host. */
  readonly processes: number
  /** Tasks that one worker process runs at once. */
  readonly concurrency: number
  /** Queues it consumes, without the service prefix. */
  readonly queues: readonly string[]
  /** How long running tasks may go on after a stop was asked for. */
  readonly graceMs: number
  /** Where bodies run whose tasks do not say it. */
  readonly isolation: 'inline' | 'thread' | 'process'
  /** A worker above this many megabytes of resident memory is replaced after its running tasks; 0 switches that off. */
  readonly maxMemoryMb: number
  /** A worker that died is started again. */
  readonly keepAlive: boolean
  /** Modules loaded in the worker may open ports. */
  readonly listen: boolean
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error' | 'silent'
}

/** The whole configuration with every default filled in, frozen. `config/schema.ts` says what a user may write. */
export interface Config {
  readonly withAsync: boolean
  /** Name of the application; it keeps two applications on one broker apart. */
  readonly service: string
  /** `development`, `production`, …; messages never cross it. */
  readonly environment: string
  /** Folder of the configuration file, or the current one without a file; relative paths start there. */
  readonly baseDir: string
  /** The file that was read, if any. */
  readonly file: string | undefined
  /** Globs of modules with tasks, relative to `baseDir`; empty: the modules in which the server's tasks were declared. */
  readonly services: readonly string[]
  /** A module that says how instances are made (see `container` in the docs), if any. */
  readonly container: string | undefined
  /** Absolute folder for the queue file, the key file and locks. */
  readonly dataDir: string
  readonly broker: BrokerConfig
  /** URL of the PostgreSQL database in which calls wait for the commit of their transaction; secrets inside, show only through `maskUrl`. */
  readonly database: string | undefined
  readonly store: StoreConfig
  /** How long what is known of a completed or cancelled task is kept, for tasks that say nothing else. */
  readonly keepCompletedMs: number
  /** The same of a failed one. */
  readonly keepFailedMs: number
  readonly seal: SealScope
  /** Sealing keys as `id:base64` with 32 bytes each, the first one seals; empty: the key file. */
  readonly keys: readonly string[]
  /** Names of request headers that travel, lower case. */
  readonly headers: readonly string[]
  /** Names of headers that are encrypted, lower case. */
  readonly secretHeaders: readonly string[]
  /** Whether a call made while RabbitMQ is away rejects, or is kept in the outbox in `dataDir`. */
  readonly whenBrokerAway: 'spool' | 'reject'
  /** Calls kept in the outbox, at most. */
  readonly outboxLimit: number
  readonly outsideRequest: 'enqueue' | 'inline' | 'error'
  /** Bytes of one message, at most. */
  readonly payloadLimit: number
  /** How long a message may wait after it is due before a worker refuses it; 0: for ever. */
  readonly expiresMs: number
  /** How long a plain call of a `result: true` task waits. */
  readonly resultTimeoutMs: number
  /** Defaults for the tasks' own options. */
  readonly retries: number
  /** A task whose worker process died this often while running it is dead-lettered. */
  readonly maxCrashes: number
  /** How long one run of a task may take; 0: as long as it likes. */
  readonly timeLimitMs: number
  /** How long a run may go on after its time limit before it is ended. */
  readonly timeLimitGraceMs: number
  /** Refuse to run a task when the bearer token of its caller has expired (300 s leeway). */
  readonly reverify: boolean
  /** Whether errors of tasks carry their stacks to the caller, and into the store. */
  readonly errorStacks: boolean
  /** Carriers to use: `cls-hooked`, `nestjs-cls`, `opentelemetry`, or paths of modules. */
  readonly carriers: readonly string[]
  /** A module whose default export is called with every failure, if any. */
  readonly errorReporter: string | undefined
  /** Tasks that run by themselves at certain times, beside those that say so themselves. */
  readonly schedules: readonly ScheduleConfig[]
  readonly callbacks: CallbacksConfig
  readonly worker: WorkerConfig
}
