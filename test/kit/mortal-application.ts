import { asyncTask, register, type ConfigInput, type DeadLetters } from 'errand'
import { loadConfig } from '#config/load.js'
import type { Broker, Delivery, Subscription } from '#src/broker/broker.js'
import { compose, type Composed } from '#src/compose.js'
import { newId, systemClock } from '#src/core/clock.js'
import { silentLogger } from '#src/core/logger.js'
import type { createMessages } from '#src/core/message.js'
import { frame } from '#src/core/seal/frame.js'
import { generateKey, parseKeyRing } from '#src/core/seal/key-ring.js'
import { createDeadLetters } from '#src/runtime/dead-letters/dead-letters.js'
import { createExecutor } from '#src/runtime/execute.js'
import { LazySignal } from '#src/core/lazy-signal.js'
import type { Scope } from './temporary.js'
import { until } from './until.js'

/** Whether the tasks can do their work, and what they did. */
export const world = { isMended: false, ran: [] as string[] }

asyncTask(async function fragile(text: string): Promise<void> {
  if (!world.isMended) throw Object.assign(new RangeError(`no ${text} yet`), { code: 'NOT_YET' })
  world.ran.push(`fragile ${text}`)
}, { retries: 1, backoff: 0 })
asyncTask(async function sturdy(value: { id?: number } | string): Promise<void> {
  world.ran.push(`sturdy ${typeof value === 'string' ? value : value.constructor.name}`)
})

/** An application whose worker, dead letters and strangers are in this process. */
export class Application {
  readonly letters: DeadLetters
  /** Attempt and crashes of every delivery to the worker since it was repaired. */
  attempts: string[] = []
  readonly sent = new Map<string, Buffer>()
  readonly #id = newId().slice(0, 8)
  #isPoisonous = true

  private constructor(
    readonly given: ConfigInput,
    readonly key: string,
    readonly runtime: Composed,
    readonly messagesOptions: Parameters<typeof createMessages>[0],
  ) {
    this.letters = createDeadLetters(runtime)
  }

  static async open(scope: Scope, overrides: ConfigInput): Promise<Application> {
    const [key] = (overrides.keys as readonly string[] | undefined) ?? [generateKey()] // as the test gave them
    if (key === undefined) throw new Error('no key')
    const given = { withAsync: true, service: 'shop', dataDir: scope.file('data'), maxCrashes: 2, keys: [key], ...overrides }
    const config = await loadConfig({ cwd: scope.folder(), env: 'test', overrides: given })
    const runtime = await compose(config, { log: silentLogger })
    scope.defer(() => runtime.close())
    const { service: app, environment: env, seal, secretHeaders, payloadLimit } = config
    return new Application(given, key, runtime, { keys: parseKeyRing([key]), app, env, seal, secretHeaders, payloadLimit, clock: systemClock })
  }

  get broker(): Broker {
    return this.runtime.broker
  }

  get lateTask(): string {
    return `late-${this.#id}`
  }

  get lateClass(): string {
    return `Late${this.#id}`
  }

  /** Makes everything that failed in the worker possible. */
  repair(): void {
    world.isMended = true
    this.#isPoisonous = false
    this.attempts = []
    asyncTask(async (text: string): Promise<void> => void world.ran.push(`late ${text}`), { name: this.lateTask })
    const Late = { [this.lateClass]: class {} }[this.lateClass]
    if (Late !== undefined) register(Late, { name: this.lateClass })
  }

  /** A worker: what is poisonous ends it, as far as the broker can tell. */
  work(): Promise<Subscription> {
    const executor = createExecutor(this.runtime)
    return this.broker.consume('default', { concurrency: 1 }, async (delivery: Delivery) => {
      this.attempts.push(`${delivery.attempt} ${delivery.crashes}`)
      const isPoison = this.#isPoisonous && delivery.crashes < 2 && delivery.body.includes('"poison"')
      if (isPoison) throw new Error('the worker dies')
      return executor.run(delivery, new LazySignal())
    })
  }

  async put(body: Buffer, id: string = newId()): Promise<string> {
    this.sent.set(id, body)
    await this.broker.publish({ id, queue: 'default', body })
    return id
  }

  async hasDead(count: number): Promise<void> {
    await until(`${count} dead letters`, async () => (await this.broker.count('default')).dead === count)
  }

  /** Waits until a queue holds so many; a server may count what was put back a moment later. */
  async holds(queue: string, { waiting, dead }: { readonly waiting: number; readonly dead: number }): Promise<void> {
    await until(`${waiting} waiting and ${dead} dead`, async () => {
      const count = await this.broker.count(queue)
      return count.waiting === waiting && count.dead === dead
    })
  }

  seal(task: string, args: readonly unknown[], more: object = {}): Buffer {
    return this.runtime.messages.sealCall({ ...callOf(task, args), ...more })
  }

  /** A sealed call of `sturdy` with parts as another process may have written them. */
  sealText(parts: object): Buffer {
    const { app, env, keys } = this.messagesOptions
    return frame(JSON.stringify({ v: 1, kind: 'call', id: newId(), task: 'sturdy', app, env, at: Date.now(), ...parts }), keys.sealing)
  }
}

/** A call before it is sealed. */
export const callOf = (task: string, args: readonly unknown[]) => ({
  id: newId(),
  task,
  args: JSON.stringify(args),
  context: undefined,
  carriers: undefined,
  sentAt: Date.now(),
  expiresAt: undefined,
  replyTo: undefined,
})
