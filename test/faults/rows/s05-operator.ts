import { connect, type Channel } from 'amqplib'
import { until } from '../../kit/until.js'
import type { Fleet } from '../fleet.js'
import { brokerAt, pause, type Row } from '../row.js'
import { deadLetters } from '../run-row.js'

const QUEUE = 'faults.q.default'

const AFTERWARDS = 200
const FORGOTTEN_MS = 100_000

/**
 * A purge goes through the log of the queue like the messages do, and its answer is exact. For a deletion the server first reads how
 * many there are and then ends the queue: what it confirms in between goes too, and is in nobody's count. Those are the messages
 * that were stored between the question and the answer; the process that sent one may hear of its confirm this much later.
 */
const NOTED_MS = 200

export const row: Row = {
  id: 'S5',
  title: 'an operator purges the queue, and deletes it, under load',
  needs: 'rabbitmq',
  async run(context) {
    const node = await context.node()
    const fleet = context.fleet(brokerAt([node.url]))
    await fleet.startWorkers(2)
    const server = await fleet.server()
    await fleet.dispatch(server, { count: 1 })
    await fleet.settled()

    let gone = 0
    let beside = 0
    const acts = { purged: (channel: Channel) => channel.purgeQueue(QUEUE), deleted: (channel: Channel) => channel.deleteQueue(QUEUE) }
    for (const [act, statement] of Object.entries(acts)) {
      // more than the workers do, so that something waits
      const load = fleet.load(server, { perSecond: 400, how: { ms: 200 } })
      await pause(context.size(2500, 10_000))
      const { count, since } = await operate(node.url, statement)
      const untilMs = Date.now() + NOTED_MS
      gone += count
      await pause(NOTED_MS)
      if (act === 'deleted') beside += fleet.calls().filter(({ kind, atMs }) => kind === 'stored' && atMs >= since && atMs <= untilMs).length
      context.step(`${act}: ${count} messages`)
      await pause(2000)
      await load.stop()
      await hasRest(fleet, gone + beside)
    }
    context.step('afterwards')
    await fleet.dispatch(server, { count: AFTERWARDS, prefix: 'after-' })
    const ranAfterwards = () => new Set(fleet.runs().filter(({ kind, id }) => kind === 'ended' && id.startsWith('after-')).map(({ id }) => id)).size
    await until('what is called afterwards', () => ranAfterwards() === AFTERWARDS, FORGOTTEN_MS).catch(() => {}) // what is missing then is counted
    const counts = fleet.counts()
    const { lost } = counts

    context.expect(ranAfterwards() === AFTERWARDS, `what is called afterwards runs (${AFTERWARDS - ranAfterwards()} of it did not)`)
    const most = gone + beside
    context.expect(lost > 0 && lost <= most, `no more is missing (${lost}) than the operator was told of (${gone}) and what was stored while it was deleted (${beside})`)
    const dead = await deadLetters(fleet)
    context.expect(dead === 0, `no dead letters (${dead})`)
    context.note(`${gone} removed as the operator was told, ${lost} never ran; ${beside} were stored while it was deleted`)
    return { ...counts, lost: Math.max(0, counts.lost - most) }
  },
}

/** Waits until no more is missing than this. RabbitMQ 3.10 can forget a consumer at the deletion, which is noticed after a minute. */
async function hasRest(fleet: Fleet, missing: number): Promise<void> {
  await until('the rest', () => fleet.counts().lost <= missing, FORGOTTEN_MS).catch(() => {}) // what is missing then is counted
}

async function operate(url: string, statement: (channel: Channel) => Promise<{ messageCount: number }>): Promise<{ count: number; since: number }> {
  const connection = await connect(url)
  try {
    const channel = await connection.createChannel()
    const since = Date.now()
    return { count: (await statement(channel)).messageCount, since }
  } finally {
    await connection.close()
  }
}
