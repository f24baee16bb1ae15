import { newId } from '#src/core/clock.js'
import { openSqliteBroker } from '#src/broker/sqlite/open.js'
import { deadQueueOf, type Broker } from '#src/broker/broker.js'
import type { QueueNews, QueueOrder } from './queue-process.js'

// startQueueProcess wrote it
const order = JSON.parse(process.argv[2] ?? '') as QueueOrder
const broker = await openSqliteBroker({ file: order.file })
await work(broker)

function tell(news: QueueNews): void {
  process.send?.(news)
}

async function work(broker: Broker): Promise<void> {
  switch (order.do) {
    case 'hold':
      return consume(broker, 1, () => new Promise(() => undefined))
    case 'consume':
      return consume(broker, 10, async () => undefined, order.temporary)
    case 'block':
      return consume(broker, 1, async () => block(order.forMs))
    case 'replay':
      return replay(broker, order.most)
    case 'publish':
      return publish(broker, order)
  }
}

async function consume(broker: Broker, concurrency: number, body: () => Promise<unknown>, temporary = false): Promise<void> {
  await broker.consume(order.queue, { concurrency, temporary }, async ({ id, attempt, crashes }) => {
    tell({ is: 'taken', id, attempt, crashes })
    await body()
    tell({ is: 'ended', id })
    return { kind: 'done' }
  })
  tell({ is: 'ready' })
  // waiting for replies alone would not keep it alive
  if (temporary) setInterval(() => undefined, 60_000)
}

/** Ten publishers that never pause, so that the process is never idle when it is killed. */
async function publish(broker: Broker, { queue, count, tag }: Extract<QueueOrder, { do: 'publish' }>): Promise<void> {
  let left = count
  const one = async (): Promise<void> => {
    while (left-- > 0) {
      const id = `${tag}-${newId()}`
      await broker.publish({ id, queue, body: Buffer.from(id) })
      tell({ is: 'stored', id })
    }
  }
  await Promise.all(Array.from({ length: 10 }, one))
  tell({ is: 'ready' })
}

/**
 * Sends the dead letters of the queue again, with a breath after every third, so that it changes the file all the time. It stands still
 * when it has come to `most`, so as not to come to the end where whoever is to kill it is slow.
 */
async function replay(broker: Broker, most: number): Promise<void> {
  let count = 0
  await broker.browse(deadQueueOf(order.queue), async ({ id, body }) => {
    if (count === most) await new Promise(() => setInterval(() => undefined, 60_000))
    tell({ is: 'ended', id })
    if (++count % 3 === 0) await new Promise((resolve) => setImmediate(resolve))
    return { kind: 'replace', message: { id, queue: order.queue, body } }
  })
  tell({ is: 'ready' })
}

/** The message must leave before the event loop stands still. */
async function block(forMs: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 50))
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, forMs)
}
