import type { Channel, ConsumeMessage } from 'amqplib'
import { expect } from 'chai'
import { browse } from '#src/broker/rabbitmq/browse.js'
import type { Session } from '#src/broker/rabbitmq/link/session.js'
import { systemClock } from '#src/core/clock.js'

/** Longer than a look waits where others consume the queue as well. */
const LATE_MS = 1500

/** What a look uses of a connection, to a server that hands out and puts back late, but tells at once what lies there. */
function busySession(ids: readonly string[]): { readonly session: Session; readonly counts: number[] } {
  let ready = ids.length
  const counts: number[] = []
  const take = (keep: (message: ConsumeMessage) => void): void => {
    ready = 0
    for (const messageId of ids) keep({ content: Buffer.from(''), fields: {}, properties: { messageId, headers: {} } } as ConsumeMessage) // nothing else is read
  }
  const later = async (fn: () => void): Promise<void> => void systemClock.after(LATE_MS, fn)
  const channel = {
    prefetch: async () => {},
    consume: (_queue: string, keep: (message: ConsumeMessage) => void) => later(() => take(keep)),
    cancel: async () => {},
    close: () => later(() => (ready = ids.length)),
  } as unknown as Channel // a look asks for nothing else
  const statement = async (): Promise<unknown> => {
    counts.push(ready)
    return { messageCount: ready, consumerCount: 0 }
  }
  const session = { isUp: true, channel: async () => channel, statement, bounded: <T>(asked: Promise<T>) => asked }
  return { session: session as unknown as Session, counts } // a look asks for nothing else
}

describe('A look at a queue of a RabbitMQ server that is busy', () => {
  it('waits for what lies there, and until it is back', async () => {
    const { session, counts } = busySession(['one', 'two'])
    const seen: string[] = []

    await browse(session, { queue: 'mail', nameOnServer: 'q.mail', what: 'Cannot look' }, ({ id }) => {
      seen.push(id)
      return { kind: 'keep' }
    }, async () => {})

    expect(seen).to.deep.equal(['one', 'two'])
    expect(counts.at(-1)).to.equal(2)
  })
})
