import type { OutgoingMessage } from '#src/broker/broker.js'
import { openMemoryBroker } from '#src/broker/memory/broker.js'
import { systemClock } from '#src/core/clock.js'
import { LazySignal } from '#src/core/lazy-signal.js'
import { silentLogger, type Logger } from '#src/core/logger.js'
import { createMessages } from '#src/core/message.js'
import { generateKey, parseKeyRing } from '#src/core/seal/key-ring.js'
import { createKeeper } from '#src/outbox/keep.js'
import { openRelay, type Relay } from '#src/outbox/relay.js'
import { setAppState } from '#src/runtime/app.js'
import { createExecutor } from '#src/runtime/execute.js'
import { Replies } from '#src/runtime/replies.js'
import type { Runtime } from '#src/runtime/runtime.js'
import type { Scope } from './temporary.js'

const SETTINGS: Runtime['settings'] = {
  outsideRequest: 'enqueue',
  expiresMs: 0,
  resultTimeoutMs: 20_000,
  retries: 0,
  maxCrashes: 3,
  timeLimitMs: 0,
  timeLimitGraceMs: 5_000,
  reverify: false,
  secretHeaders: [],
  worker: { queues: ['default'], concurrency: 10 },
}

export interface TransactionalApp {
  readonly published: readonly OutgoingMessage[]
  /** Refuses what is published while it is set. */
  refuse: Error | undefined
  relay(log?: Logger): Promise<Relay>
}

/** Lets the calls of this process be sent by a broker in memory, and within transactions of the database at `url`; tasks run here. */
export async function openTransactionalApp(scope: Scope, url: string | undefined, namespace = 'shop:test'): Promise<TransactionalApp> {
  const memory = scope.use(openMemoryBroker())
  const published: OutgoingMessage[] = []
  const publish = async (message: OutgoingMessage): Promise<void> => {
    if (app.refuse !== undefined && message.toTemporary !== true) throw app.refuse
    if (message.toTemporary !== true) published.push(message)
    await memory.publish(message)
  }
  const broker = new Proxy(memory, { get: (target, name) => (name === 'publish' ? publish : bound(target, name)) })
  const runtime: Runtime = {
    settings: SETTINGS,
    broker,
    onCommit: url === undefined ? undefined : createKeeper(namespace, systemClock),
    messages: createMessages({
      keys: parseKeyRing([generateKey()]),
      app: 'shop',
      env: 'test',
      seal: 'secrets',
      secretHeaders: [],
      payloadLimit: 100_000,
      clock: systemClock,
    }),
    clock: systemClock,
    log: silentLogger,
    report: () => {},
  }
  const executor = createExecutor(runtime)
  await broker.consume('default', { concurrency: 10 }, (delivery) => executor.run(delivery, new LazySignal()))
  setAppState({ kind: 'on', runtime, replies: new Replies(broker, runtime.messages, silentLogger) })
  scope.defer(() => setAppState({ kind: 'idle' }))
  const relay = async (log = silentLogger): Promise<Relay> => {
    const opened = await openRelay({ url: url ?? '', shownUrl: 'postgres://test', namespace, broker, clock: systemClock, log })
    scope.defer(() => opened.close())
    return opened
  }
  const app: TransactionalApp = { published, refuse: undefined, relay }
  return app
}

function bound(target: object, name: string | symbol): unknown {
  const member: unknown = Reflect.get(target, name)
  return typeof member === 'function' ? member.bind(target) : member
}
