import type { Config } from '../../config/config.js'

/**
 * What the supervisor and a worker process say to each other over the IPC channel. Everything carries the key `errand`, since
 * modules of the application may use the channel for words of their own.
 */
export type ToWorker =
  /** The answer to `hello`. Secrets are inside: that is why they do not come as arguments or variables. */
  | ({ readonly errand: 'run' } & WorkerInstructions)
  /** Stop within the grace period. */
  | { readonly errand: 'stop' }

export type FromWorker =
  /** The worker listens to the channel. */
  | { readonly errand: 'hello' }
  /** It consumes. */
  | { readonly errand: 'ready' }
  /** A first task came to its end: whatever the process dies of later, it is of use. */
  | { readonly errand: 'useful' }
  /** A signal asked it to stop; it takes nothing new. */
  | { readonly errand: 'leaving' }
  /** It ends because its modules cannot be loaded; `why` is the same whenever the failure is. */
  | { readonly errand: 'unloadable'; readonly why: string }

/** What a worker process is to do. */
export interface WorkerInstructions {
  /** The configuration of the server, overrides included: both work with the very same. */
  readonly config: Config
  /** URLs of modules with tasks, used when `config.services` is empty. */
  readonly modules: readonly string[]
}

/** Exit codes of a worker process. */
export const EXIT = {
  stopped: 0,
  /** It could not load the services, or code outside of tasks threw. */
  failed: 1,
  /** It asks to be replaced (memory limit, a task that cannot be ended); the number is EX_TEMPFAIL of sysexits. */
  replace: 75,
} as const

const FROM_WORKER: ReadonlySet<unknown> = new Set<FromWorker['errand']>(['hello', 'ready', 'useful', 'leaving', 'unloadable'])

/** What `message` says, if it is for a worker. */
export function readToWorker(message: unknown): ToWorker | undefined {
  return word(message) === 'run' || word(message) === 'stop' ? (message as ToWorker) : undefined // only the supervisor writes these words
}

/** What `message` says, if it is from our worker's main module. */
export function readFromWorker(message: unknown): FromWorker | undefined {
  return FROM_WORKER.has(word(message)) ? (message as FromWorker) : undefined // only worker/main writes these words
}

function word(message: unknown): unknown {
  return typeof message === 'object' && message !== null ? Reflect.get(message, 'errand') : undefined
}
