/**
 * The embedded broker against a hand-tuned loop on the same library, file system and durability, in the same run: `node
 * build/bench/sqlite-broker.bench.js [messages] [rounds]`. Figures are ratios; rates belong to the machine they were taken on.
 */
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { newId } from '#src/core/clock.js'
import type { Broker } from '#src/broker/broker.js'
import { openSqliteBroker } from '#src/broker/sqlite/open.js'
import { closeRaw, openRaw, rawConsume, rawPublish } from './raw-sqlite.js'

const IN_FLIGHT = 1_000
const BODY = Buffer.alloc(900, 'x')
const QUEUE = 'bench'

interface Order {
  readonly system: 'raw' | 'errand'
  readonly file: string
  readonly count: number
  readonly concurrency: number
}

const order = process.argv[2]
if (order?.startsWith('{') === true) {
  // runRound wrote it
  await consumeAll(JSON.parse(order) as Order)
} else {
  await compare(Number(order ?? 50_000), Number(process.argv[3] ?? 5))
}

async function compare(count: number, rounds: number): Promise<void> {
  console.log(`Node ${process.version}, ${cpus().length} x ${cpus()[0]?.model}`)
  console.log(`${count} messages of ${BODY.length} bytes, synchronous = FULL, ${rounds} rounds`)
  for (const concurrency of [0, 100, 300]) {
    const endToEnd = `end to end, concurrency ${concurrency} (raw claims 300)`
    const title = concurrency === 0 ? `dispatch, ${IN_FLIGHT} in flight` : endToEnd
    const rates: { raw: number; errand: number }[] = []
    for (let round = 0; round < rounds; round++) {
      const first = round % 2 === 0 ? 'raw' : 'errand'
      const one = await runRound({ system: first, count, concurrency })
      const two = await runRound({ system: first === 'raw' ? 'errand' : 'raw', count, concurrency })
      rates.push(first === 'raw' ? { raw: one, errand: two } : { raw: two, errand: one })
    }
    const ratios = rates.map(({ raw, errand }) => errand / raw).sort((a, b) => a - b)
    const middle = (values: number[]): number => values.sort((a, b) => a - b)[values.length >> 1] ?? 0
    const [raw, errand] = [middle(rates.map((rate) => rate.raw)), middle(rates.map((rate) => rate.errand))].map(Math.round)
    const range = `${ratios[0]?.toFixed(2)}-${ratios.at(-1)?.toFixed(2)}`
    console.log(`${title}: ${middle(ratios).toFixed(2)} x raw (${range}); raw ${raw}/s, errand ${errand}/s`)
  }
}

/** Messages a second: stored, or done by another process where there is a concurrency. */
async function runRound({ system, count, concurrency }: Omit<Order, 'file'>): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'errand-bench-'))
  const file = join(folder, 'queue.db')
  const publish = await publisher(system, file)
  const worker = concurrency === 0 ? undefined : await startWorker({ system, file, count, concurrency })
  const started = performance.now()
  const finished = worker === undefined ? Promise.resolve() : once(worker, 'message')
  await publish.run(count)
  await finished
  const seconds = (performance.now() - started) / 1000
  await publish.close()
  if (worker !== undefined) await once(worker, 'exit')
  rmSync(folder, { recursive: true })
  return count / seconds
}

async function startWorker(given: Order): Promise<ChildProcess> {
  const worker = fork(new URL(import.meta.url), [JSON.stringify(given)])
  await once(worker, 'message')
  return worker
}

interface Publisher {
  run(count: number): Promise<void>
  close(): unknown
}

async function publisher(system: Order['system'], file: string): Promise<Publisher> {
  if (system === 'errand') {
    const broker = await openSqliteBroker({ file })
    return { run: (count) => publishAll(broker, count), close: () => broker.close() }
  }
  const raw = await openRaw(file)
  return { run: (count) => rawPublish(raw, count, IN_FLIGHT, BODY), close: () => closeRaw(raw) }
}

async function publishAll(broker: Broker, count: number): Promise<void> {
  let left = count
  const one = async (): Promise<void> => {
    while (left-- > 0) await broker.publish({ id: newId(), queue: QUEUE, body: BODY })
  }
  await Promise.all(Array.from({ length: IN_FLIGHT }, one))
}

async function consumeAll({ system, file, count, concurrency }: Order): Promise<void> {
  const tell = (news: string): unknown => process.send?.(news)
  if (system === 'raw') {
    const raw = await openRaw(file)
    await rawConsume(raw, count, () => tell('ready'))
    tell('done')
    closeRaw(raw)
  } else {
    const broker = await openSqliteBroker({ file })
    let left = count
    await new Promise<void>((resolve) => {
      void broker
        .consume(QUEUE, { concurrency }, async () => {
          if (--left === 0) resolve()
          return { kind: 'done' }
        })
        .then(() => tell('ready'))
    })
    tell('done')
    await broker.close()
  }
  process.disconnect()
}
