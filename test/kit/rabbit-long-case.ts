import { fork } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'amqplib'
import { newId } from '#src/core/clock.js'
import type { Broker, Delivery, Verdict } from '#src/broker/broker.js'
import type { RabbitBrokerOptions } from '#src/broker/rabbitmq/broker.js'
import { hold, RabbitCase } from './rabbit-case.js'
import { startRabbitNode, type RabbitNode } from './rabbitmq.js'
import type { Scope } from './temporary.js'
import { until } from './until.js'

/** The server takes back after this what was not acknowledged. */
const SERVER_TIMEOUT_MS = 10_000

const HOUR_MS = 3_600_000

/** Far less than what the server allows, also where the machine is busy; a runner that is gone is missed after three signs of life. */
export const LONG: Partial<RabbitBrokerOptions> = { ackTimeoutMs: 3000, heartbeatSeconds: 1 }

/** A node that waits seconds for acknowledgements, instead of half an hour. */
export async function startImpatientNode(): Promise<RabbitNode> {
  const node = await startRabbitNode()
  await setPatience(node, SERVER_TIMEOUT_MS)
  return node
}

async function setPatience(node: RabbitNode, ms: number): Promise<void> {
  const set = (key: string, value: number): string => `application:set_env(rabbit,${key},${value})`
  await node.eval(`${set('consumer_timeout', ms)}, ${set('channel_tick_interval', 1000)}.`)
}

/** One test of runs that outlast the patience of the server. */
export class LongCase extends RabbitCase {
  readonly #scope: Scope
  readonly #node: RabbitNode

  constructor(scope: Scope, node: RabbitNode) {
    super(scope, node.url)
    this.#scope = scope
    this.#node = node
  }

  /** Has the server wait as long as it takes, for this test: on a busy machine its few seconds are over before anything happened. */
  async bePatient(): Promise<void> {
    await setPatience(this.#node, HOUR_MS)
    this.#scope.defer(() => setPatience(this.#node, SERVER_TIMEOUT_MS))
  }

  /** A runner whose deliveries the test settles. */
  async runner(more: Partial<RabbitBrokerOptions> = {}, concurrency = 10): Promise<{ broker: Broker; held: HeldLong[] }> {
    const broker = await this.open({ ...LONG, ...more })
    return { broker, held: await hold(broker, concurrency) }
  }

  /** Names of the markers of this test on the server: of runs that go on, or of runs that are over. */
  async markers(kind: 'run' | 'end'): Promise<string[]> {
    const names = await this.#node.ctl('list_queues', '--no-table-headers', 'name')
    return names.split('\n').filter((name) => name.startsWith(`${this.namespace}.${kind}.`))
  }

  async onWatch(count = 1): Promise<void> {
    await until('the run markers', async () => (await this.markers('run')).length === count)
  }

  /** Resolves when nothing is left of long runs on the server: their copies went, and the markers with them. */
  async cleared(): Promise<void> {
    const left = async (): Promise<number> => (await this.markers('run')).length + (await this.markers('end')).length
    await until('the last marker', async () => (await left()) === 0)
  }

  /** Resolves when the server took a message back from a consumer that began now: its patience is over for what began before. */
  async serverTimeout(): Promise<void> {
    const connection = await connect(this.#node.url)
    try {
      const channel = await connection.createChannel()
      // from 4.3 on the server waits without end for what it handed out of a classic queue
      const queue = `${this.namespace}.patience.${newId()}`
      await channel.assertQueue(queue, { arguments: { 'x-queue-type': 'quorum' } })
      const gone = new Promise<void>((resolve, reject) => {
        channel.on('error', (error) => (String(error).includes('timed out') ? resolve() : reject(error)))
        // from 4.3 on it ends the consumer, before that the channel
        channel.consume(queue, (message) => message === null && resolve()).catch(() => {})
      })
      channel.sendToQueue(queue, Buffer.from('held'))
      await gone
      // a consumer that was ended is told so once more when its queue goes, which the client library does not bear
      await channel.close().catch(() => {})
      await (await connection.createChannel()).deleteQueue(queue)
    } finally {
      await connection.close()
    }
  }

  /** Resolves when a message delayed by `ms` has come: by then every watch copy that is due earlier has come too. */
  async delayed(broker: Broker, ms: number): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const queue = `clock-${ms}`
      const done = async (): Promise<Verdict> => {
        resolve()
        return { kind: 'done' }
      }
      const publish = (): Promise<void> => broker.publish({ id: queue, queue, body: Buffer.from(''), delayMs: ms })
      broker.consume(queue, { concurrency: 1 }, done).then(publish).catch(reject)
    })
  }

  /** Another process that takes one message and holds it; the answer kills it. */
  async victim(): Promise<() => void> {
    const args = [this.#node.url, this.namespace, 'mail', JSON.stringify(LONG)]
    const child = fork(new URL('./rabbit-victim.js', import.meta.url), args, { execArgv: [] })
    const kill = (): void => void child.kill('SIGKILL')
    this.#scope.defer(kill)
    await once(child, 'message')
    return kill
  }
}

export interface HeldLong {
  readonly delivery: Delivery
  settle(verdict: Verdict): void
}
