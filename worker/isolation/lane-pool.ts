import type { Clock } from '../../src/core/clock.js'
import type { Logger } from '../../src/core/logger.js'
import type { Delivery } from '../../src/broker/broker.js'
import type { LaneEnd, LanePlace, LaneRun, Lanes } from '../../src/runtime/lanes.js'
import type { LazySignal } from '../../src/core/lazy-signal.js'
import type { WorkerInstructions } from '../supervisor/protocol.js'
import { Lane } from './lane.js'

export interface LanePoolOptions extends WorkerInstructions {
  readonly clock: Clock
  readonly log: Logger
}

/** A lane without work costs memory; a new one costs the loading of the services. */
const IDLE_MS = 60_000
/** For a lane to close its connections. */
const CLOSE_MS = 2_000
/** Lanes for one delivery alone, each of which has to load the services first. */
const MOST_OWN = 2

/** The threads and processes of a worker: idle ones are used again, and all of them end with the worker. */
export class LanePool implements Lanes {
  readonly #options: LanePoolOptions
  readonly #idle = new Map<Lane, () => void>()
  readonly #all = new Set<Lane>()
  readonly #waiting: (() => void)[] = []
  #own = 0
  #isClosed = false
  /** Loaders of the worker, for TypeScript say, need not reach into its threads; into a process they do. */
  #threads: 'usable' | 'useless' = 'usable'

  constructor(options: LanePoolOptions) {
    this.#options = options
  }

  run(delivery: Delivery, place: LanePlace, signal: LazySignal): LaneRun {
    let lane: Lane | undefined
    let onBegun = (): void => {}
    const begun = new Promise<void>((resolve) => {
      onBegun = resolve
    })
    const ended = this.#run(place, async (taken) => {
      lane = taken
      return taken.run(delivery, signal, onBegun)
    })
    return { begun, ended, end: () => lane?.kill() }
  }

  /** Ends the lanes in which something runs, and resolves when they are gone; none is opened after that. */
  async kill(): Promise<void> {
    this.#isClosed = true
    for (const next of this.#waiting.splice(0)) next()
    const busy = [...this.#all].filter((lane) => !this.#idle.has(lane))
    for (const lane of busy) lane.kill()
    await Promise.all(busy.map((lane) => lane.ended))
  }

  /** Ends all lanes; resolves when they are gone. */
  async close(): Promise<void> {
    const killed = this.kill()
    for (const lane of this.#idle.keys()) this.#retire(lane)
    await Promise.all([killed, ...[...this.#all].map((lane) => lane.ended)])
  }

  async #run({ kind, isOwn }: LanePlace, use: (lane: Lane) => Promise<LaneEnd>): Promise<LaneEnd> {
    if (isOwn) await this.#ownTurn()
    try {
      if (this.#isClosed) return { kind: 'missing', why: 'the worker stops' }
      if (kind === 'thread' && this.#threads === 'useless') return await this.#run({ kind: 'process', isOwn }, use)
      const lane = (isOwn ? undefined : this.#takeIdle(kind)) ?? this.#open(kind)
      const end = await use(lane)
      if (end.kind === 'unloadable' && kind === 'thread') return await this.#giveUpThreads(end.why, () => this.#run({ kind, isOwn }, use))
      if (end.kind === 'missing' && !this.#isClosed) this.#options.log.error(`A ${kind} to run a task in could not be had: ${end.why}.`)
      if (isOwn || this.#isClosed || !lane.isUsable || this.#isTooLarge(lane)) this.#retire(lane)
      else this.#rest(lane)
      return end
    } catch (error) {
      // the platform refused a thread or a process
      return { kind: 'missing', why: error instanceof Error ? error.message : 'unknown' }
    } finally {
      if (isOwn) this.#ownDone()
    }
  }

  #giveUpThreads(why: string, again: () => Promise<LaneEnd>): Promise<LaneEnd> {
    if (this.#threads === 'usable') this.#options.log.warn(`Threads cannot load the services, so processes take their place: ${why}`)
    this.#threads = 'useless'
    return again()
  }

  async #ownTurn(): Promise<void> {
    if (this.#own >= MOST_OWN) await new Promise<void>((resolve) => this.#waiting.push(resolve))
    this.#own++
  }

  #ownDone(): void {
    this.#own--
    this.#waiting.shift()?.()
  }

  #takeIdle(kind: LanePlace['kind']): Lane | undefined {
    for (const [lane, cancel] of this.#idle) {
      if (lane.kind !== kind || !lane.isUsable) continue
      this.#idle.delete(lane)
      cancel()
      return lane
    }
    return undefined
  }

  #open(kind: LanePlace['kind']): Lane {
    const { config, modules, log } = this.#options
    const lane = new Lane({ kind, instructions: { config, modules }, log })
    this.#all.add(lane)
    void lane.ended.then(() => {
      this.#all.delete(lane)
      this.#idle.get(lane)?.()
      this.#idle.delete(lane)
    })
    return lane
  }

  #rest(lane: Lane): void {
    this.#idle.set(lane, this.#options.clock.after(IDLE_MS, () => this.#retire(lane)))
  }

  #retire(lane: Lane): void {
    this.#idle.get(lane)?.()
    this.#idle.delete(lane)
    if (!this.#all.has(lane)) return
    lane.close()
    const cancel = this.#options.clock.after(CLOSE_MS, () => lane.kill())
    void lane.ended.then(cancel)
  }

  /** The memory of a thread is that of the worker, which is watched as a whole. */
  #isTooLarge({ kind, memoryMb }: Lane): boolean {
    const { maxMemoryMb } = this.#options.config.worker
    return kind === 'process' && maxMemoryMb > 0 && memoryMb > maxMemoryMb
  }
}
