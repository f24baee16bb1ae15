import { assertNever, ErrandError } from '../../src/errors.js'
import type { Logger } from '../../src/core/logger.js'
import type { Delivery } from '../../src/broker/broker.js'
import type { LaneEnd, LanePlace } from '../../src/runtime/lanes.js'
import type { LazySignal } from '../../src/core/lazy-signal.js'
import type { WorkerInstructions } from '../supervisor/protocol.js'
import { openChannel, type Channel } from './channel.js'
import { ABORT_CODES, readFromLane, type FromLane } from './protocol.js'

export interface LaneOptions {
  readonly kind: LanePlace['kind']
  readonly instructions: WorkerInstructions
  readonly log: Logger
}

/** What the lane has to do now. */
interface Job {
  readonly delivery: Delivery
  readonly settle: (end: LaneEnd) => void
}

/** A thread or process that runs one delivery at a time, with what a worker has: the other end is `lane-main.ts`. */
export class Lane {
  readonly kind: LanePlace['kind']
  /** Resolves when it has ended. */
  readonly ended: Promise<unknown>
  readonly #options: LaneOptions
  readonly #channel: Channel
  readonly #ready: Promise<boolean>
  #setReady: (isReady: boolean) => void = () => {}
  #hasEnded = false
  #memoryMb = 0
  #job: Job | undefined
  #unloadable: string | undefined
  #dying: (FromLane & { readonly lane: 'dying' }) | undefined

  constructor(options: LaneOptions) {
    this.kind = options.kind
    this.#options = options
    this.#ready = new Promise((resolve) => {
      this.#setReady = resolve
    })
    this.#channel = openChannel(options.kind)
    this.#channel.onMessage((message) => this.#hear(readFromLane(message)))
    this.ended = this.#channel.ended.then((why) => this.#end(why))
  }

  /** It may run another delivery. */
  get isUsable(): boolean {
    return !this.#hasEnded && this.#dying === undefined && this.#unloadable === undefined
  }

  /** Megabytes in use after its last run. */
  get memoryMb(): number {
    return this.#memoryMb
  }

  get isBusy(): boolean {
    return this.#job !== undefined
  }

  /** Runs a delivery; `onBegun` is called when it has reached the lane. Never rejects. */
  async run(delivery: Delivery, signal: LazySignal, onBegun: () => void): Promise<LaneEnd> {
    const isReady = await this.#ready
    if (signal.isAborted) return { kind: 'missing', why: 'the worker stops' }
    if (!isReady) return this.#unloadable === undefined ? { kind: 'missing', why: 'it ended before' } : { kind: 'unloadable', why: this.#unloadable }
    if (!this.isUsable) return { kind: 'missing', why: 'it ended before' }
    const ended = new Promise<LaneEnd>((settle) => {
      this.#job = { delivery, settle }
    })
    this.#channel.say({ lane: 'run', delivery })
    onBegun()
    const { signal: aborts } = signal
    const abort = (): void => this.#abort(signal.reason)
    aborts.addEventListener('abort', abort)
    const end = await ended
    aborts.removeEventListener('abort', abort)
    return end
  }

  close(): void {
    this.#channel.say({ lane: 'close' })
  }

  kill(): void {
    this.#channel.kill()
  }

  #abort(reason: unknown): void {
    const code = ABORT_CODES.find((known) => reason instanceof ErrandError && reason.code === known) ?? 'TASK_FAILED'
    this.#channel.say({ lane: 'abort', code, why: reason instanceof Error ? reason.message : 'The run is to end.' })
  }

  #hear(said: FromLane | undefined): void {
    if (said === undefined) return
    const { instructions, log } = this.#options
    switch (said.lane) {
      case 'hello':
        return this.#channel.say({ lane: 'open', ...instructions })
      case 'ready':
        return this.#setReady(true)
      case 'unloadable':
        this.#unloadable = said.why
        return this.#setReady(false)
      case 'settled':
        this.#memoryMb = said.memoryMb
        return this.#settle({ kind: 'settled', verdict: said.verdict })
      case 'dying':
        this.#dying = said
        return
      case 'log':
        return log[said.level](said.text)
      default:
        return assertNever(said)
    }
  }

  #end(why: string): void {
    this.#hasEnded = true
    this.#setReady(false)
    const { culprit, why: left = why } = this.#dying ?? {}
    const isOther = culprit !== undefined && culprit !== this.#job?.delivery.id
    this.#settle(isOther ? { kind: 'disturbed' } : { kind: 'lost', why: left })
  }

  #settle(end: LaneEnd): void {
    const job = this.#job
    this.#job = undefined
    job?.settle(end)
  }
}
