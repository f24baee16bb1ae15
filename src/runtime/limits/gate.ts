import { createHash } from 'node:crypto'
import type { Held, Locks } from '../../broker/locks.js'
import { runInScope, type TaskScope } from '../../core/context.js'
import type { LimitRule } from '../../core/limits.js'
import type { OpenedCall } from '../../core/message.js'
import type { Task } from '../../core/task.js'
import { ErrandError } from '../../errors.js'
import type { Runtime } from '../runtime.js'
import { Places, RunTimes } from './places.js'
import { Starts } from './starts.js'

/** What the limits of a task say to one run. */
export type Entry =
  /** Not now: deliver it again after `delayMs`. */
  | { readonly kind: 'later'; readonly delayMs: number }
  /** It may run; `run` runs it and lets the next one in. */
  | { readonly kind: 'enter'; run<T>(body: () => Promise<T>): Promise<T> }

/** The limits of one task, or of one key of it. */
interface Limit {
  readonly places: Places | undefined
  readonly starts: Starts | undefined
}

interface Opening {
  readonly limit: Limit
  readonly task: string
  readonly times: RunTimes
}

/** Waits up to this are made here, with the message in hand: brokers delay no more exactly. */
const SHORT_WAIT_MS = 100
/** How many runs may do so at once, by share of all that the worker runs at once. */
const SHORT_WAITERS_SHARE = 0.5
/** From so many limits on those without runs are forgotten. */
const MANY_LIMITS = 1_000
/** After locks that failed: no hurry, they are likely to fail again. */
const AFTER_FAILURE_MS = 2_000
const SHORTEST_DELAY_MS = 100
/** How often it is said that limits cannot be kept. */
const SAY_AGAIN_MS = 60_000

const OPEN: Entry = { kind: 'enter', run: (body) => body() }

/** Lets runs begin as the limits of their tasks allow, counted over all workers. One per executor. */
export class Gate {
  readonly #runtime: Runtime
  readonly #limits = new Map<string, Limit>()
  readonly #times = new Map<string, RunTimes>()
  #sweepAt = MANY_LIMITS
  #shortWaiters = 0
  #saidAt = -Infinity

  constructor(runtime: Runtime) {
    this.#runtime = runtime
  }

  /**
   * Whether a run may begin. One that may not is given a time to come again, behind those that wait already; where names cannot be
   * taken for the moment, nothing that is limited begins.
   * @throws what `limitBy` throws, and ErrandError `OPTION_INVALID` where it answers no text
   */
  enter(task: Task, call: OpenedCall, scope: TaskScope): Entry | Promise<Entry> {
    const rule = task.declaration.options.limits
    return rule === undefined ? OPEN : this.#enter(rule, task, call, scope)
  }

  async #enter(rule: LimitRule, task: Task, call: OpenedCall, scope: TaskScope): Promise<Entry> {
    const name = `${task.name}:${keyOf(rule, call, scope)}`
    if (this.#runtime.locks === undefined) return OPEN
    try {
      const times = this.#timesOf(task.name)
      const limit = this.#limitOf(name, rule, await this.#runtime.locks(), times)
      const entry = await this.#pass({ limit, task: task.name, times })
      return entry.kind === 'enter' ? entry : before(call.expiresAt, entry.delayMs, this.#runtime.clock.now())
    } catch (error) {
      this.#sayFailure(task.name, error)
      return { kind: 'later', delayMs: AFTER_FAILURE_MS * (1 + Math.random()) }
    }
  }

  async #pass(opening: Opening): Promise<Entry> {
    const { places, starts } = opening.limit
    if (places?.mayEnter === false) return later(places)
    if (starts?.mayStart === false && !(await this.#shortWait(starts))) return later(starts)
    const held = await places?.enter()
    if (places !== undefined && held === undefined) return later(places)
    try {
      if (starts === undefined || (await starts.start())) return this.#entered(opening, held)
    } catch (error) {
      await this.#release(opening.task, held)
      throw error
    }
    await this.#release(opening.task, held)
    return later(starts)
  }

  /** Waits for a slot that is close, as long as not too many do. Answers whether it may be there. */
  async #shortWait(starts: Starts): Promise<boolean> {
    const { clock, settings } = this.#runtime
    const waitMs = starts.nextMs(this.#shortWaiters)
    const most = Math.max(1, Math.floor((settings.worker.concurrency) * SHORT_WAITERS_SHARE))
    if (waitMs > SHORT_WAIT_MS || this.#shortWaiters >= most) return false
    this.#shortWaiters++
    await new Promise<void>((resolve) => clock.after(waitMs, resolve))
    this.#shortWaiters--
    return true
  }

  #entered({ task, times }: Opening, held: Held | undefined): Entry {
    const { clock, log } = this.#runtime
    if (held === undefined) return OPEN
    const onLost = (): void =>
      log.warn(`A run of ${task} goes on although its place among those that may run at once was lost with the connection: there may be one more for a while.`)
    held.lost.addEventListener('abort', onLost)
    const run = async <T>(body: () => Promise<T>): Promise<T> => {
      const begunAt = clock.now()
      try {
        return await body()
      } finally {
        held.lost.removeEventListener('abort', onLost)
        times.add(clock.now() - begunAt)
        await this.#release(task, held)
      }
    }
    return { kind: 'enter', run }
  }

  /** A place that cannot be given back is free again when the connection ends. Never rejects. */
  async #release(task: string, held: Held | undefined): Promise<void> {
    try {
      await held?.release()
    } catch (error) {
      this.#sayFailure(task, error)
    }
  }

  #timesOf(task: string): RunTimes {
    let times = this.#times.get(task)
    if (times === undefined) this.#times.set(task, (times = new RunTimes()))
    return times
  }

  #limitOf(name: string, { concurrency, spacingMs }: LimitRule, locks: Locks, times: RunTimes): Limit {
    const known = this.#limits.get(name)
    if (known !== undefined) return known
    this.#sweep()
    const { clock } = this.#runtime
    const limit = {
      places: concurrency === undefined ? undefined : new Places({ locks, clock, name, most: concurrency, times }),
      starts: spacingMs === undefined ? undefined : new Starts({ locks, clock, name, spacingMs }),
    }
    this.#limits.set(name, limit)
    return limit
  }

  /** Forgets what is idle, so that keys that come once do not fill the memory. */
  #sweep(): void {
    if (this.#limits.size < this.#sweepAt) return
    for (const [name, { places, starts }] of this.#limits) {
      if (places?.isIdle !== false && starts?.isIdle !== false) this.#limits.delete(name)
    }
    this.#sweepAt = Math.max(MANY_LIMITS, 2 * this.#limits.size)
  }

  #sayFailure(task: string, error: unknown): void {
    const { clock, log } = this.#runtime
    if (clock.now() - this.#saidAt < SAY_AGAIN_MS) return
    this.#saidAt = clock.now()
    log.warn(`The limits of ${task} cannot be kept for the moment, so its runs wait: ${error instanceof Error ? error.message : 'unknown'}`)
  }
}

const later = (line: Places | Starts): Entry => ({ kind: 'later', delayMs: Math.ceil(line.plan(Math.random)) })

/** A message that would expire meanwhile comes again before, in ever shorter steps. */
function before(expiresAt: number | undefined, delayMs: number, now: number): Entry {
  const mostMs = expiresAt === undefined ? Infinity : Math.max(SHORTEST_DELAY_MS, (expiresAt - now) / 2)
  return { kind: 'later', delayMs: Math.min(delayMs, Math.ceil(mostMs)) }
}

/** What the call is counted by, in few letters; what it is made of may be anything, also secret. */
function keyOf({ limitBy }: LimitRule, call: OpenedCall, task: TaskScope): string {
  if (limitBy === undefined) return ''
  const args = call.readArguments() as never[] // the function was given together with the body that takes them
  const key: unknown = runInScope({ context: call.context, task }, () => limitBy(...args))
  if (typeof key === 'string') return createHash('sha256').update(key).digest('base64url').slice(0, KEY_LETTERS)
  throw new ErrandError('OPTION_INVALID', `${task.name}: limitBy must answer a text, and answered ${key === null ? 'null' : typeof key}. Wrap it in String().`)
}

/** 132 bits: no two keys meet. */
const KEY_LETTERS = 22
