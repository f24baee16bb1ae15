/**
 * The RabbitMQ broker against a hand-tuned loop on the same client library and server, in the same run:
 * `node build/bench/rabbitmq-broker.bench.js [messages] [rounds]`. Figures are ratios; rates belong to the machine they were taken on.
 */
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { cpus } from 'node:os'
import { newId } from '#src/core/clock.js'
import type { Broker } from '#src/broker/broker.js'
import { openRabbitBroker } from '#src/broker/rabbitmq/broker.js'
import { rawConsume, rawPublisher, type RawPublisher } from './raw-rabbitmq.js'

const IN_FLIGHT = 1_000
const BODY = Buffer.alloc(900, 'x')
const QUEUE = 'bench'

interface Order {
  readonly system: 'raw' | 'errand'
  readonly url: string
  readonly namespace: string
  readonly count: number
  /** 0: nobody consumes. */
  readonly concurrency: number
}

const order = process.argv[2]
if (order?.startsWith('{') === true) {
  // runRound wrote it
  await consumeAll(JSON.parse(order) as Order)
} else {
  await compare(Number(order ?? 20_000), Number(process.argv[3] ?? 5))
}

async function compare(count: number, rounds: number): Promise<void> {
  // the kit of the tests is compiled beside this program
  const kit = (await import(new URL('../test/kit/rabbitmq.js', import.meta.url).href)) as {
    startRabbitNode(): Promise<{ readonly url: string } & AsyncDisposable>
  }
  const node = await kit.startRabbitNode()
  console.log(`Node ${process.version}, ${cpus().length} x ${cpus()[0]?.model}, ${count} messages of ${BODY.length} bytes, quorum queue, ${rounds} rounds`)
  try {
    for (const concurrency of [0, 100, 300]) await compareOne(node.url, { count, rounds, concurrency })
    await compareLatency(node.url, rounds)
  } finally {
    await node[Symbol.asyncDispose]()
  }
}

async function compareOne(url: string, given: { count: number; rounds: number; concurrency: number }): Promise<void> {
  const { count, rounds, concurrency } = given
  const title = concurrency === 0 ? `dispatch, ${IN_FLIGHT} in flight` : `end to end, prefetch ${concurrency} on both sides`
  const rates: { raw: number; errand: number }[] = []
  for (let round = -1; round < rounds; round++) {
    const rate = async (system: Order['system']): Promise<number> =>
      runRound({ system, url, namespace: `bench${concurrency}.${system}.${round}`, count, concurrency })
    const isRawFirst = round % 2 === 0
    const first = await rate(isRawFirst ? 'raw' : 'errand')
    const second = await rate(isRawFirst ? 'errand' : 'raw')
    // the first round warms the server up
    if (round >= 0) rates.push(isRawFirst ? { raw: first, errand: second } : { raw: second, errand: first })
  }
  const ratios = rates.map(({ raw, errand }) => errand / raw)
  console.log(
    `${title}: ${middle(ratios).toFixed(2)} x raw (${Math.min(...ratios).toFixed(2)}-${Math.max(...ratios).toFixed(2)}); ` +
      `raw ${Math.round(middle(rates.map(({ raw }) => raw)))}/s, errand ${Math.round(middle(rates.map(({ errand }) => errand)))}/s`,
  )
}

async function compareLatency(url: string, rounds: number): Promise<void> {
  const times: Record<Order['system'], number[]> = { raw: [], errand: [] }
  for (let round = 0; round < rounds; round++) {
    for (const system of ['raw', 'errand'] as const) {
      const publish = await publisher({ system, url, namespace: `latency.${system}.${round}` })
      for (let number = 0; number < 500; number++) {
        const started = performance.now()
        await publish.run(1)
        if (number >= 100) times[system].push(performance.now() - started)
      }
      await publish.close()
    }
  }
  const at = (values: number[], share: number): number => values.sort((a, b) => a - b)[Math.floor(values.length * share)] ?? 0
  const show = (share: number): string =>
    `p${share * 100} ${(at(times.errand, share) / at(times.raw, share)).toFixed(2)} x raw (${at(times.raw, share).toFixed(2)} ms)`
  console.log(`dispatch, one at a time: ${show(0.5)}, ${show(0.99)}`)
}

/** Messages a second: confirmed, or done by another process where there is a concurrency. */
async function runRound(given: Order): Promise<number> {
  const publish = await publisher(given)
  await publish.run(1)
  const worker = given.concurrency === 0 ? undefined : await startWorker({ ...given, count: given.count + 1 })
  const started = performance.now()
  const finished = worker === undefined ? Promise.resolve() : once(worker, 'message')
  await publish.run(given.count)
  await finished
  const seconds = (performance.now() - started) / 1000
  await publish.close()
  if (worker !== undefined) await once(worker, 'exit')
  return given.count / seconds
}

async function startWorker(given: Order): Promise<ChildProcess> {
  const worker = fork(new URL(import.meta.url), [JSON.stringify(given)])
  await once(worker, 'message')
  return worker
}

async function publisher({ system, url, namespace }: Pick<Order, 'system' | 'url' | 'namespace'>): Promise<RawPublisher> {
  if (system === 'raw') return rawPublisher(url, namespace, IN_FLIGHT, BODY)
  const broker = await openRabbitBroker({ urls: [url], namespace })
  return { run: (count) => publishAll(broker, count), close: () => broker.close() }
}

async function publishAll(broker: Broker, count: number): Promise<void> {
  let left = count
  const one = async (): Promise<void> => {
    while (left-- > 0) await broker.publish({ id: newId(), queue: QUEUE, body: BODY })
  }
  await Promise.all(Array.from({ length: Math.min(count, IN_FLIGHT) }, one))
}

async function consumeAll({ system, url, namespace, count, concurrency }: Order): Promise<void> {
  const tell = (news: string): unknown => process.send?.(news)
  if (system === 'raw') {
    await rawConsume(url, namespace, { count, prefetch: concurrency, ready: () => tell('ready') })
    tell('done')
  } else {
    const broker = await openRabbitBroker({ urls: [url], namespace })
    let left = count
    await new Promise<void>((resolve) => {
      const handle = async (): Promise<{ readonly kind: 'done' }> => {
        if (--left === 0) resolve()
        return { kind: 'done' }
      }
      void broker.consume(QUEUE, { concurrency }, handle).then(() => tell('ready'))
    })
    tell('done')
    await broker.close()
  }
  process.disconnect()
}

function middle(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0
}
