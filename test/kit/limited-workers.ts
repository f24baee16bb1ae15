import { assert } from 'chai'
import { asyncTask, type TaskOptions } from 'errand'
import type { Held, Locks } from '#src/broker/locks.js'
import { openMemoryBroker } from '#src/broker/memory/broker.js'
import { openMemoryLocks } from '#src/broker/memory/locks.js'
import { newId } from '#src/core/clock.js'
import type { Context } from '#src/core/context.js'
import { createMessages, type OpenedCall } from '#src/core/message.js'
import { registry } from '#src/core/registry.js'
import { generateKey, parseKeyRing } from '#src/core/seal/key-ring.js'
import type { Task } from '#src/core/task.js'
import { LazySignal } from '#src/core/lazy-signal.js'
import { Gate, type Entry } from '#src/runtime/limits/gate.js'
import type { Runtime } from '#src/runtime/runtime.js'
import { FakeClock } from './fake-clock.js'
import { keptLog } from './rabbit-case.js'

let tasks = 0

/** Two workers that share names, and one that has none, with one task that has limits. */
export function setting(options: TaskOptions) {
  const clock = new FakeClock()
  const { log, lines } = keptLog()
  const shared = openMemoryLocks()
  const asked: string[] = []
  const losses: AbortController[] = []
  let released = 0
  let failure: Error | undefined
  const locks: Locks = {
    async take(name) {
      asked.push(name)
      if (failure !== undefined) throw failure
      const held = await shared.take(name)
      if (held === undefined) return undefined
      const loss = new AbortController()
      losses.push(loss)
      const release = (): Promise<void> => (released++, held.release())
      return { lost: loss.signal, release } satisfies Held
    },
    close: () => shared.close(),
    [Symbol.asyncDispose]: () => shared.close(),
  }
  const messages = createMessages({ keys: parseKeyRing([generateKey()]), app: 'a', env: 'e', seal: 'secrets', secretHeaders: [], payloadLimit: 1, clock })
  const settings = { outsideRequest: 'enqueue', expiresMs: 0, resultTimeoutMs: 1, retries: 0, maxCrashes: 1, timeLimitMs: 0, timeLimitGraceMs: 0, reverify: false, secretHeaders: [], worker: { queues: ['default'], concurrency: 10 } } as const
  const runtime: Runtime = { settings, broker: openMemoryBroker(), locks: async () => locks, messages, clock, log, report: () => {} }
  const task = declared({ ...options, name: `limited-${++tasks}` })
  const lose = (): void => losses.forEach((loss) => loss.abort())
  const fail = (error: Error | undefined): void => void (failure = error)
  return { workers: [worker(runtime, task), worker(runtime, task)] as const, unlocked: worker({ ...runtime, locks: undefined }, task), clock, asked, lines, lose, fail, released: () => released }
}

function declared(options: TaskOptions & { readonly name: string }): Task {
  asyncTask(async function limited(..._args: unknown[]): Promise<void> {}, { ...options, result: false } as never) // limitBy is not told the types here
  const task = registry.find(options.name)
  assert.isDefined(task)
  return task
}

function worker(runtime: Runtime, task: Task) {
  const gate = new Gate(runtime)
  const enter = async (args: readonly unknown[] = [], more: { context?: Context; expiresAt?: number } = {}): Promise<Entry> => {
    const id = newId()
    const scope = { id, name: task.name, attempt: 1, signal: new LazySignal(), log: runtime.log }
    const call: OpenedCall = { id, task: task.name, sentAt: 0, expiresAt: more.expiresAt, replyTo: undefined, context: more.context, carriers: {}, readArguments: () => [...args] }
    return gate.enter(task, call, scope)
  }
  const delay = async (): Promise<number> => {
    const entry = await enter()
    return entry.kind === 'later' ? entry.delayMs : assert.fail('it was let in')
  }
  return { enter, delay }
}

/** What became of each. */
export const kinds = async (entries: readonly Promise<Entry>[]): Promise<string[]> => (await Promise.all(entries)).map(({ kind }) => kind)

/** Runs a body that was let in. */
export async function run<T>(entry: Entry, body: () => Promise<T> = async () => undefined as T): Promise<T> {
  return entry.kind === 'enter' ? entry.run(body) : assert.fail('it has to wait')
}
