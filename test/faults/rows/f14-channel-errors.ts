import type { Channel } from 'amqplib'
import type { Broker } from '#src/broker/broker.js'
import { Session } from '#src/broker/rabbitmq/link/session.js'
import { RabbitCase } from '../../kit/rabbit-case.js'
import { until } from '../../kit/until.js'
import { longestGap } from '../counts.js'
import { Ledger } from '../ledger.js'
import { seconds, type Row, type RowContext } from '../row.js'

/** More than the server of this row takes, and less than the driver allows. */
const TOO_LARGE = 300_000
const SERVER_LIMIT = 200_000

const MOST_GAP_MS = 5000

export const row: Row = {
  id: 'F14',
  title: 'channels fail: 404, 406 for other arguments, for a false acknowledgement and for a large message, a queue deleted',
  needs: 'rabbitmq',
  async run(context) {
    const node = await context.node()
    await node.eval(`application:set_env(rabbit,max_message_size,${SERVER_LIMIT}).`)
    const c = new RabbitCase(context.scope, node.url)
    const proxy = await c.proxy()
    const broker = await c.open({ urls: [proxy.url], confirmTimeoutMs: 60_000 })
    const channels = channelsOf(context)
    const failed = failedToPublish(context)
    const [sibling, hit] = [new Ledger(), new Ledger()]
    await sibling.consume(broker, 'other')
    await hit.consume(broker)
    const mailChannel = channels.at(-1)
    const stop = sibling.load(broker, 2, { queue: 'other' })
    const stillRuns = async (what: string): Promise<void> => {
      const before = hit.runs().length
      const since = Date.now()
      await hit.publish(broker)
      await until(`a run after ${what}`, () => hit.runs().length > before, 60_000)
      const tookMs = Date.now() - since
      context.expect(tookMs <= MOST_GAP_MS, `the queue is consumed within ${MOST_GAP_MS} ms after ${what} (${tookMs})`)
      context.step(`${what}: ${seconds(tookMs)}`)
    }
    await hit.publish(broker, { delayMs: 20 })
    await stillRuns('the start')

    await c.operate((channel) => channel.deleteExchange(`${c.namespace}.delay.0`))
    await Promise.all(Array.from({ length: 10 }, () => hit.publish(broker, { delayMs: 20 })))
    await stillRuns('404: an exchange that is gone')

    await c.operate((channel) => channel.assertQueue(`${c.namespace}.q.odd`, { arguments: { 'x-queue-type': 'quorum', 'x-delivery-limit': 7 } }))
    await hit.publish(broker, { queue: 'odd' })
    await hit.consume(broker, 'odd')
    await stillRuns('406: a queue with other arguments')

    mailChannel?.ack({ fields: { deliveryTag: 999_999 } } as Parameters<Channel['ack']>[0]) // the client library reads nothing else
    await stillRuns('406: an acknowledgement of nothing')

    const code = await hit.publish(broker, { body: Buffer.alloc(TOO_LARGE) })
    context.expect(code === 'PAYLOAD_TOO_LARGE', `what the server does not take is refused with PAYLOAD_TOO_LARGE (${code ?? 'it was taken'})`)
    await stillRuns('406: a message that is too large')

    await c.operate((channel) => channel.deleteQueue(`${c.namespace}.q.mail`))
    // RabbitMQ 3.10 can forget a consumer whose queue is declared again within milliseconds: docs/reliability.md
    await until('the word to the consumer', () => c.lines.some((line) => line.includes('ended the consumer of "mail"')))
    await stillRuns('a queue that was deleted')

    await stop()
    await finish(broker, sibling, hit)
    const gapMs = longestGap(sibling.runs().map(({ atMs }) => atMs))
    const beside = sibling.counts()
    context.expect(beside.lost === 0 && beside.refused === 0, `nothing beside is lost (${beside.lost}) or refused (${beside.refused})`)
    // the server may still deliver on a channel that it closed, for which the client library gives the connection up; connections that
    // were only made to try a queue are not among them
    const losses = c.lines.filter((line) => /the connection for \w+ was lost/.test(line)).length
    context.expect(losses <= 1, `at most the connection of the false acknowledgement is lost (${losses} are)`)
    // what is under way on a channel that fails is sent once more, and beside there is one call at a time
    const most = losses * 10 + failed.size
    context.expect(beside.duplicates <= most, `at most ${most} run twice beside (${beside.duplicates})`)
    context.expect(gapMs <= MOST_GAP_MS, `what goes on beside pauses for ${MOST_GAP_MS} ms at most (${gapMs})`)
    context.note(`beside it ${beside.run} ran, with a longest pause of ${seconds(gapMs)}; ${losses} connections lost, ${failed.size} channels for publishing failed`)
    return hit.counts()
  },
}

/** The channels that are opened from now on, by any connection of this process. */
function channelsOf({ scope }: RowContext): Channel[] {
  const channels: Channel[] = []
  const original = Session.prototype.channel
  Session.prototype.channel = async function () {
    const channel = await original.call(this)
    channels.push(channel)
    return channel
  }
  scope.defer(() => (Session.prototype.channel = original))
  return channels
}

/** The channels for publishing that the server closes from now on. */
function failedToPublish({ scope }: RowContext): ReadonlySet<Channel> {
  const failed = new Set<Channel>()
  const original = Session.prototype.confirmChannel
  Session.prototype.confirmChannel = async function () {
    const channel = await original.call(this)
    channel.on('error', () => failed.add(channel))
    return channel
  }
  scope.defer(() => (Session.prototype.confirmChannel = original))
  return failed
}

async function finish(broker: Broker, ...ledgers: readonly Ledger[]): Promise<void> {
  await until('everything', () => ledgers.every(({ isComplete }) => isComplete), 30_000).catch(() => {}) // what is missing is counted
  await broker.close()
}
