import type { BrokerConfig } from '../config/config.js'
import type { Logger } from '../src/core/logger.js'
import type { Bodies } from '../src/runtime/host.js'

export interface LagWatchOptions {
  readonly log: Logger
  /** Milliseconds that only go on: a wall clock that is set would look like a blocked event loop. @defaultValue `performance.now` */
  readonly elapsedMs?: (() => number) | undefined
  /** Told when the event loop stood still for longer. */
  readonly limitMs: number
  /** @defaultValue 500 */
  readonly everyMs?: number | undefined
}

const LONGEST_LIMIT_MS = 5_000
const CHECK_EVERY_MS = 500
const QUIET_MS = 60_000
const MOST_NAMES = 5

/** Above this a blocked event loop is worth a warning: with RabbitMQ half of what the server bears. */
export function lagLimitMs(broker: BrokerConfig): number {
  const bearable = broker.kind === 'rabbitmq' && broker.heartbeatSeconds > 0 ? broker.heartbeatSeconds * 1_000 : LONGEST_LIMIT_MS
  return Math.min(LONGEST_LIMIT_MS, bearable)
}

/**
 * Warns when the event loop of this process stood still: nothing else could run, no connection could be kept alive. It names the tasks
 * that may be the reason, at most once a minute.
 */
export class LagWatch implements Bodies {
  readonly #options: LagWatchOptions
  readonly #elapsedMs: () => number
  readonly #timer: NodeJS.Timeout
  readonly #running = new Map<string, number>()
  /** Also those that have ended: the one that blocked does so before anybody can look. */
  #sinceLook = new Set<string>()
  #lookedAt: number
  #warnedAt = -Infinity

  constructor(options: LagWatchOptions) {
    this.#options = options
    this.#elapsedMs = options.elapsedMs ?? (() => performance.now())
    this.#lookedAt = this.#elapsedMs()
    this.#timer = setInterval(() => this.#look(), options.everyMs ?? CHECK_EVERY_MS)
    this.#timer.unref() // watching is no reason to stay
  }

  begin(task: string): void {
    this.#running.set(task, (this.#running.get(task) ?? 0) + 1)
    this.#sinceLook.add(task)
  }

  end(task: string): void {
    const left = (this.#running.get(task) ?? 1) - 1
    if (left === 0) this.#running.delete(task)
    else this.#running.set(task, left)
  }

  close(): void {
    clearInterval(this.#timer)
  }

  #look(): void {
    const { limitMs, everyMs = CHECK_EVERY_MS } = this.#options
    const now = this.#elapsedMs()
    const blockedMs = now - this.#lookedAt - everyMs
    this.#lookedAt = now
    if (blockedMs > limitMs && now - this.#warnedAt > QUIET_MS) {
      this.#warnedAt = now
      this.#warn(blockedMs)
    }
    this.#sinceLook = new Set(this.#running.keys())
  }

  #warn(blockedMs: number): void {
    const names = [...this.#sinceLook]
    const more = names.length > MOST_NAMES ? ` and ${names.length - MOST_NAMES} more` : ''
    const who = names.length === 0 ? 'No task ran then.' : `Running then: ${names.slice(0, MOST_NAMES).join(', ')}${more}.`
    this.#options.log.warn(
      `The event loop of the worker was blocked for ${(blockedMs / 1000).toFixed(1)} s: no other task went on, and the broker may take the worker for dead. ` +
        `${who} Give a task that computes for long the option isolation: 'thread'.`,
    )
  }
}
