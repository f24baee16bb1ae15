import type { Broker, OutgoingMessage, Subscription } from './broker/broker.js'
import { openMemoryBroker } from './broker/memory/broker.js'
import { newId, systemClock } from './core/clock.js'
import type { Context } from './core/context.js'
import { silentLogger } from './core/logger.js'
import { createMessages, type Messages } from './core/message.js'
import { registry } from './core/registry.js'
import type { FailureReport } from './core/report.js'
import { generateKey, parseKeyRing } from './core/seal/key-ring.js'
import { createSigner, type Signer } from './core/seal/signer.js'
import { ErrandError } from './errors.js'
import type { Relay } from './compose/transactions.js'
import { adoptExports } from './runtime/adopt-exports.js'
import { appState, setAppState } from './runtime/app.js'
import { createExecutor } from './runtime/execute.js'
import { LazySignal } from './core/lazy-signal.js'
import { Replies } from './runtime/replies.js'
import type { Runtime, RuntimeSettings } from './runtime/runtime.js'
import { Tracking } from './runtime/tracking/tracking.js'
import { openMemoryStore } from './store/memory.js'
import type { Store } from './store/store.js'

export interface TestingOptions {
  /** `run`: bodies run in this process, through a real message and a re-created context; `capture`: they do not run. @defaultValue 'run' */
  readonly mode?: 'run' | 'capture' | undefined
  /** Further runs of a body that throws. @defaultValue 0 */
  readonly retries?: number | undefined
  /** The objects whose tasks run on themselves, as a service module's exported instances do in a worker. @defaultValue new ones are made */
  readonly instances?: readonly object[] | undefined
  /**
   * URL of the PostgreSQL of the test, for code that calls tasks within its transactions: they are sent when those commit.
   * @defaultValue such calls are refused
   */
  readonly database?: string | undefined
}

/** A call as it left, read back from its message. */
export interface CapturedCall {
  readonly id: string
  readonly task: string
  /** The arguments as the worker would see them. */
  readonly args: readonly unknown[]
  /** Who asked; `undefined` outside any request. */
  readonly context: Context | undefined
  readonly queue: string
  readonly delayMs: number
  readonly priority: number
}

/** What `startTesting()` opened. */
export interface Testing {
  /** Every call so far, oldest first. */
  readonly calls: readonly CapturedCall[]
  /** Failures that would have reached the error reporter. */
  readonly failures: readonly FailureReport[]
  /** Resolves when no task waits or runs any more; delayed ones are waited for, and so is what was committed. */
  idle(): Promise<void>
  /** Ends the test mode; calls behave as if nothing had been started. */
  stop(): Promise<void>
}

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

/**
 * Lets tests call tasks without a broker, a worker process or a configuration. Calls are still sealed and encoded, so a test meets
 * the arguments and the context that a worker would: an argument that cannot travel fails here too.
 * @throws ErrandError `CALL_INVALID` when errand is already started in this process; `PACKAGE_MISSING`, `DATABASE_REFUSED`
 * @example
 * const testing = await startTesting()
 * await withContext({ user: ada }, () => mail.sendWelcome(bob))
 * await testing.idle()
 * assert.equal(testing.calls[0]?.task, 'MailService.sendWelcome')
 * await testing.stop()
 */
export async function startTesting(options: TestingOptions = {}): Promise<Testing> {
  if (appState().kind === 'on' || appState().kind === 'starting') {
    throw new ErrandError('CALL_INVALID', 'startTesting() was called although errand is started in this process. Call stop() first.')
  }
  const keyed = { keys: parseKeyRing([generateKey()]), app: 'testing', env: 'testing' }
  const messages = createMessages({
    ...keyed,
    seal: 'secrets',
    secretHeaders: SETTINGS.secretHeaders,
    payloadLimit: PAYLOAD_LIMIT,
    clock: systemClock,
  })
  adoptExports('test', options.instances ?? [])
  return new TestRun({ messages, signer: createSigner(keyed.keys, keyed) }, options).begin()
}

class TestRun implements Testing {
  readonly calls: CapturedCall[] = []
  readonly failures: FailureReport[] = []
  readonly #messages: Messages
  readonly #signer: Signer
  readonly #options: TestingOptions
  readonly #broker: Broker = openMemoryBroker()
  readonly #store: Store = openMemoryStore()
  readonly #subscriptions = new Map<string, Promise<Subscription>>()
  /** Messages that are not settled: one follow-up may have several. */
  #open = 0
  #relay: Relay | undefined
  #idle: (() => void)[] = []

  constructor({ messages, signer }: { readonly messages: Messages; readonly signer: Signer }, options: TestingOptions) {
    this.#messages = messages
    this.#signer = signer
    this.#options = options
  }

  async begin(): Promise<this> {
    const transactions = await this.#transactions()
    const runtime: Runtime = {
      settings: { ...SETTINGS, retries: this.#options.retries ?? 0 },
      broker: { ...this.#members(), publish: (message) => this.#publish(runtime, message) },
      onCommit: transactions?.onCommit,
      messages: this.#messages,
      signer: this.#signer,
      clock: systemClock,
      log: silentLogger,
      tracking: new Tracking({ store: this.#store, settings: KEPT, clock: systemClock, log: silentLogger }),
      report: (failure) => void this.failures.push(failure),
    }
    this.#relay = await transactions?.open(runtime)
    setAppState({ kind: 'on', runtime, replies: new Replies(this.#broker, this.#messages, silentLogger) })
    return this
  }

  async idle(): Promise<void> {
    await this.#relay?.flush()
    if (this.#open === 0) return
    // delays do not hold a process, and somebody waits here
    const hold = setInterval(() => {}, HOLD_MS)
    await new Promise<void>((resolve) => this.#idle.push(resolve))
    clearInterval(hold)
    // a task may have committed calls of its own
    await this.idle()
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
    const { openConfiguredKeeper, openConfiguredRelay } = await import('./compose/transactions.js')
    // no other test run sees what this one leaves behind
    const config = { database, service: 'testing', environment: newId() }
    const onCommit = await openConfiguredKeeper(config, systemClock)
    return { onCommit, open: (runtime: Runtime) => openConfiguredRelay(config, runtime) }
  }

  async #publish(runtime: Runtime, message: OutgoingMessage): Promise<void> {
    if (message.toTemporary === true) return this.#broker.publish(message)
    this.#capture(message)
    if (this.#options.mode === 'capture') return
    this.#open++
    if (!this.#subscriptions.has(message.queue)) this.#subscriptions.set(message.queue, this.#consume(runtime, message.queue))
    await this.#subscriptions.get(message.queue)
    await this.#broker.publish(message)
  }

  #consume(runtime: Runtime, queue: string): Promise<Subscription> {
    const executor = createExecutor(runtime)
    return this.#broker.consume(queue, { concurrency: 100 }, async (delivery) => {
      const verdict = await executor.run(delivery, new LazySignal())
      if (verdict.kind !== 'again' && verdict.kind !== 'later') this.#settled()
      return verdict
    })
  }

  #settled(): void {
    if (--this.#open > 0) return
    for (const resolve of this.#idle) resolve()
    this.#idle = []
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
