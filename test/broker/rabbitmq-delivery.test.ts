import { expect } from 'chai'
import type { ConsumeMessage } from 'amqplib'
import { afterLoss, deadLetter, nextAttempt, sameAttempt, toDelivery, watchCopy, watchOf } from '#src/broker/rabbitmq/message/delivery.js'
import { propertiesOf } from '#src/broker/rabbitmq/message/publication.js'

/** A message as the client library hands it out; only what the driver reads. */
function message(headers: Record<string, unknown> | undefined, redelivered = false): ConsumeMessage {
  const properties = { messageId: 'id', priority: undefined, headers }
  // the driver reads nothing else of it
  return { content: Buffer.from('body'), fields: { redelivered }, properties } as unknown as ConsumeMessage
}

const countsOf = (headers: Record<string, unknown> | undefined, redelivered = false): readonly number[] => {
  const { attempt, crashes } = toDelivery('mail', message(headers, redelivered))
  return [attempt, crashes]
}

describe('A delivery of RabbitMQ', () => {
  for (const [version, what, headers, redelivered, counts] of [
    ['3.10', 'a first hand-out', { 'x-delivery-count': 0 }, false, [1, 0]],
    ['3.10', 'one after a lost process', { 'x-delivery-count': 1 }, true, [2, 1]],
    ['4.0', 'a first hand-out', {}, false, [1, 0]],
    ['4.0', 'a first hand-out without a table', undefined, false, [1, 0]],
    ['4.0', 'one after a lost process', { 'x-delivery-count': 1 }, true, [2, 1]],
    ['4.3', 'a first hand-out', {}, false, [1, 0]],
    ['4.3', 'one after a lost process', { 'x-delivery-count': 1, 'x-acquired-count': 1 }, true, [2, 1]],
    ['4.3', 'one after five polite returns', { 'x-acquired-count': 5 }, true, [1, 0]],
    ['4.3', 'one after polite returns, told with a count', { 'x-delivery-count': 0, 'x-acquired-count': 5 }, true, [1, 0]],
    ['4.3', 'one after returns and two lost processes', { 'x-delivery-count': 2, 'x-acquired-count': 7 }, true, [3, 2]],
    ['any version, of a classic queue,', 'a first hand-out', undefined, false, [1, 0]],
    ['any version, of a classic queue,', 'any other', undefined, true, [2, 1]],
    ['any version', 'a retry that lost one process', { attempt: 3, crashes: 1, 'x-delivery-count': 1 }, true, [4, 2]],
    ['any version', 'counts that are no counts', { attempt: 'x', crashes: -1, 'x-delivery-count': Number.NaN }, false, [1, 0]],
  ] as const) {
    it(`counts runs and lost runs on version ${version} for ${what}`, () => {
      expect(countsOf(headers, redelivered)).to.deep.equal(counts)
    })
  }

  it('counts no losses of dead letters and watch copies, which are only passed on', () => {
    const handedOut = { attempt: 2, crashes: 1, 'x-delivery-count': 9 }

    const dead = toDelivery('mail.dead', message(handedOut, true))
    const watch = toDelivery('mail', message({ ...handedOut, watch: 'key' }, true))

    expect([dead, watch].map(({ attempt, crashes }) => [attempt, crashes])).to.deep.equal([
      [2, 1],
      [2, 1],
    ])
  })

  it('passes on no trace of the server in any copy', () => {
    const traces = { 'x-death': [{}], 'x-first-death-queue': 'q', 'x-last-death-queue': 'q', 'x-delivery-count': 1, 'x-acquired-count': 1 }
    const delivery = toDelivery('mail', message({ attempt: 2, crashes: 0, note: 'before', ...traces }, true))

    const copies = [
      nextAttempt(delivery, 100),
      sameAttempt(delivery),
      deadLetter(delivery, 'mail.dead', 'enough'),
      afterLoss(delivery),
      watchCopy(delivery, 100, { key: 'k', state: 'looking' }),
    ].map((copy) => propertiesOf(copy).headers)

    const plain = { attempt: 3, crashes: 1, note: 'before' }
    expect(copies).to.deep.equal([
      { ...plain, attempt: 4 },
      plain,
      { ...plain, note: 'enough' },
      { ...plain, attempt: 4, crashes: 2 },
      { ...plain, watch: 'k', 'watch-state': 'looking' },
    ])
  })

  it('keeps its note far below the 64 KiB of all headers, whatever it is made of', () => {
    for (const sign of ['x', 'ß', '漢', '😀']) {
      const headers: unknown = propertiesOf({ id: 'id', queue: 'mail', body: Buffer.from(''), note: sign.repeat(100_000) }).headers

      expect(Buffer.byteLength(JSON.stringify(headers))).to.be.below(32 * 1024)
    }
  })

  it('is a watch copy exactly when it says so', () => {
    const states = ['looking', 'missing', 'cleared', 'unheard of', undefined]

    const read = states.map((state) => watchOf(message({ watch: 'k', 'watch-state': state }))?.state)

    expect(read).to.deep.equal(['looking', 'missing', 'cleared', 'looking', 'looking'])
    expect(watchOf(message({ attempt: 2 }))).to.equal(undefined)
    expect(watchOf(message(undefined))).to.equal(undefined)
  })
})
