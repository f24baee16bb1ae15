import type { Broker, OutgoingMessage, Subscription } from '../broker/broker.js'
import { openMemoryBroker } from '../broker/memory/broker.js'
import type { Relay } from '../compose/transactions.js'
import { newId, systemClock, type Clock } from '../core/clock.js'
import { LazySignal } from '../core/lazy-signal.js'
import { silentLogger } from '../core/logger.js'
import { createMessages, type Messages } from '../core/message.js'
import { registry } from '../core/registry.js'
import type { FailureReport } from '../core/report.js'
import { generateKey, parseKeyRing } from '../core/seal/key-ring.js'
import { createSigner, type Signer } from '../core/seal/signer.js'
import { ErrandError } from '../errors.js'
import { setAppState } from '../runtime/app.js'
import { createExecutor } from '../runtime/execute.js'
import { Replies } from '../runtime/replies.js'
import type { Runtime, RuntimeSettings } from '../runtime/runtime.js'
import { Tracking } from '../runtime/tracking/tracking.js'
import { openMemoryStore } from '../store/memory.js'
import type { Store } from '../store/store.js'
import type { CapturedCall, Testing, TestingOptions } from './options.js'
import { assertSameContext } from './same-context.js'
import { Pending } from './pending.js'
import { ManualClock, REAL_TIME, type TestClock } from './test-clock.js'

/** The default of the configuration, in bytes. */
const PAYLOAD_LIMIT = 1_048_576

/** Any length does: the timer is only there to be there. */
const HOLD_MS = 60_000

/** Longer than any test. */
const KEPT = { keepCompletedMs: 86_400_000, keepFailedMs: 86_400_000 }

const SETTINGS: RuntimeSettings = {
  outsideRequest: 'enqueue',
  expiresMs: 0,
  resultTimeoutMs: 30_000,
  retries: 0,
  maxCrashes: 3,
  timeLimitMs: 0,
  timeLimitGraceMs: 5_000,
  reverify: false,
  secretHeaders: ['authorization', 'cookie'],
  worker: { queues: ['default'], concurrency: 10 },
}

/** One test mode, from its start to its stop. */
export class TestRun implements Testing {
  readonly calls: CapturedCall[] = []
  readonly failures: FailureReport[] = []
  readonly clock: TestClock
  readonly #options: TestingOptions
  readonly #time: Clock
  readonly #messages: Messages
  readonly #signer: Signer
  readonly #broker: Broker
  readonly #store: Store
  readonly #subscriptions = new Map<string, Promise<Subscription>>()
  readonly #pending = new Pending()
  #relay: Relay | undefined

  constructor(options: TestingOptions) {
    const manual = options.clock === 'fake' ? new ManualClock(Date.now(), () => this.#pending) : undefined
    const clock = manual ?? systemClock
    const keyed = { keys: parseKeyRing([generateKey()]), app: 'testing', env: 'testing' }
    const { secretHeaders } = SETTINGS
    this.clock = manual ?? REAL_TIME
    this.#options = options
    this.#time = clock
    this.#messages = createMessages({ ...keyed, seal: 'secrets', secretHeaders, payloadLimit: PAYLOAD_LIMIT, clock })
    this.#signer = createSigner(keyed.keys, keyed)
    this.#broker = openMemoryBroker({ clock })
    this.#store = openMemoryStore({ clock })
  }

  async begin(): Promise<this> {
    const transactions = await this.#transactions()
    const runtime: Runtime = {
      settings: { ...SETTINGS, retries: this.#options.retries ?? 0 },
      broker: { ...this.#members(), publish: (message) => this.#publish(runtime, message) },
      onCommit: transactions?.onCommit,
      messages: this.#messages,
      signer: this.#signer,
      clock: this.#time,
      log: silentLogger,
      tracking: new Tracking({ store: this.#store, settings: KEPT, clock: this.#time, log: silentLogger }),
      report: (failure) => void this.failures.push(failure),
    }
    this.#relay = await transactions?.open(runtime)
    setAppState({ kind: 'on', runtime, replies: new Replies(this.#broker, this.#messages, silentLogger) })
    return this
  }

  async idle(): Promise<void> {
    await this.#relay?.flush()
    if (this.#pending.open === 0) return
    // delays do not hold a process, and somebody waits here
    const hold = setInterval(() => {}, HOLD_MS)
    await this.#pending.atMost(0)
    clearInterval(hold)
    // a task may have committed calls of its own
    await this.idle()
  }

  async assertSameContext(call: () => Promise<unknown>): Promise<void> {
    if (this.#options.mode === 'capture') throw new ErrandError('CALL_INVALID', `assertSameContext() needs the run of a task, and with mode: 'capture' none runs.`)
    const failureOf = (id: string): unknown => this.failures.find(({ data }) => data.id === id)?.error
    await assertSameContext({ call, idle: () => this.idle(), failureOf })
  }

  async stop(): Promise<void> {
    setAppState({ kind: 'idle' })
    await this.#relay?.close()
    await this.#broker.close()
    await this.#store.close()
  }

  async #transactions() {
    const { database } = this.#options
    if (database === undefined) return undefined
    const { openConfiguredKeeper, openConfiguredRelay } = await import('../compose/transactions.js')
    // no other test run sees what this one leaves behind
    const config = { database, service: 'testing', environment: newId() }
    const onCommit = await openConfiguredKeeper(config, systemClock)
    return { onCommit, open: (runtime: Runtime) => openConfiguredRelay(config, runtime) }
  }

  async #publish(runtime: Runtime, message: OutgoingMessage): Promise<void> {
    if (message.toTemporary === true) return this.#broker.publish(message)
    this.#capture(message)
    if (this.#options.mode === 'capture') return
    if (this.#isParked(message.delayMs)) this.#pending.park(message.id)
    else this.#pending.sent()
    if (!this.#subscriptions.has(message.queue)) this.#subscriptions.set(message.queue, this.#consume(runtime, message.queue))
    await this.#subscriptions.get(message.queue)
    await this.#broker.publish(message)
  }

  #consume(runtime: Runtime, queue: string): Promise<Subscription> {
    const executor = createExecutor(runtime)
    return this.#broker.consume(queue, { concurrency: 100 }, async (delivery) => {
      this.#pending.begun(delivery.id)
      const verdict = await executor.run(delivery, new LazySignal())
      const comesAgain = verdict.kind === 'again' || verdict.kind === 'later'
      const isParked = comesAgain && this.#isParked(verdict.delayMs)
      if (isParked) this.#pending.park(delivery.id)
      if (isParked || !comesAgain) this.#pending.settled()
      return verdict
    })
  }

  /** Whether nothing but the test can bring its time. */
  #isParked(delayMs = 0): boolean {
    return delayMs > 0 && this.#options.clock === 'fake'
  }

  #capture({ id, body, queue, delayMs = 0, priority = 4 }: OutgoingMessage): void {
    registry.adoptParameterTypes()
    const call = this.#messages.openCall(body)
    this.calls.push({ id, task: call.task, args: call.readArguments(), context: call.context, queue, delayMs, priority })
  }

  #members(): Omit<Broker, 'publish'> {
    const broker = this.#broker
    return {
      features: broker.features,
      consume: (queue, options, handle) => broker.consume(queue, options, handle),
      count: (queue) => broker.count(queue),
      browse: (queue, visit) => broker.browse(queue, visit),
      ping: () => broker.ping(),
      close: () => broker.close(),
      [Symbol.asyncDispose]: () => broker.close(),
    }
  }
}
