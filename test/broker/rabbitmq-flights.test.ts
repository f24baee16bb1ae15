import { EventEmitter } from 'node:events'
import { expect } from 'chai'
import { silentLogger } from '#src/core/logger.js'
import { Flights } from '#src/broker/rabbitmq/publish/flights.js'
import type { Entry, Lane } from '#src/broker/rabbitmq/publish/lane.js'
import { Lanes } from '#src/broker/rabbitmq/publish/lanes.js'
import { routeOf } from '#src/broker/rabbitmq/message/publication.js'
import type { Session } from '#src/broker/rabbitmq/link/session.js'
import { Topology } from '#src/broker/rabbitmq/topology/topology.js'

const topology = new Topology('t', 'quorum')

/** A channel that keeps what would answer each message. */
class FakeChannel extends EventEmitter {
  readonly answers: ((error: unknown) => void)[] = []
  publish(...[, , , , answer]: [string, string, Buffer, object, (error: unknown) => void]): void {
    this.answers.push(answer)
  }
}

/** Flights on channels whose answers the test gives, at times it sets. */
function given() {
  const channels: FakeChannel[] = []
  const confirmedLate: Entry[] = []
  const left: string[] = []
  const tooLarge: [Entry, number][] = []
  const lanes = new Lanes()
  const state = { now: 1000 }
  const session = {
    isUp: true,
    leave: (why: string) => left.push(why),
    closeChannel: () => Promise.resolve(),
    confirmChannel: () => Promise.resolve(channels[channels.push(new FakeChannel()) - 1]),
  }
  const flights = new Flights({
    clock: { now: () => state.now, after: () => () => {} },
    log: silentLogger,
    stallMs: 100,
    window: 1000,
    opened: () => {},
    settled: () => {},
    confirmedLate: (entry) => confirmedLate.push(entry),
    tooLarge: (entry, limit) => tooLarge.push([entry, limit]),
    putBack: (entries) => lanes.putBack(entries),
    forgetTopology: () => {},
  })
  // of a session and a channel the flights use no more than these have
  const connect = (): void => flights.connected(session as unknown as Session)
  connect()
  const entryOf = (queue: string, bytes = 0): Entry => {
    const publication = { id: `${queue} ${state.now}`, queue, body: Buffer.alloc(bytes) }
    const route = routeOf(publication, topology)
    const flags = { isImpatient: false, isSent: false, isReturned: false, isSecondTry: false, isSettled: false, sentAt: 0, refusals: 0 }
    return { publication, route, lane: lanes.of(publication, route), deadline: Infinity, resolve: () => {}, reject: () => {}, ...flags }
  }
  const send = (entry: Entry): void => {
    entry.sentAt = state.now
    flights.of(entry.lane)?.send(entry)
  }
  const pass = (ms: number): void => {
    state.now += ms
    flights.check(state.now)
  }
  return { channels, confirmedLate, left, tooLarge, flights, connect, entryOf, send, pass }
}

/** Lets what was resolved take effect. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

describe('RabbitMQ channels for publishing', () => {
  it('keep hearing a confirm that comes late, and take the queue back then', async () => {
    const { channels, confirmedLate, flights, entryOf, send, pass } = given()
    await settled()
    const entry = entryOf('mail')
    send(entry)

    pass(100)
    expect([entry.lane.isApart, entry.lane.size]).to.deep.equal([true, 1])
    channels[0]?.answers[0]?.(null)

    expect(confirmedLate).to.deep.equal([entry])
    expect(entry.lane.isApart).to.equal(false)
    await settled()
    expect(flights.roomFor(entry.lane, flightOf(flights, entry.lane))).to.be.above(0)
  })

  it('take a late confirm of a message that came back for no confirm at all', async () => {
    const { channels, confirmedLate, entryOf, send, pass } = given()
    await settled()
    const entry = entryOf('mail')
    send(entry)

    pass(100)
    channels[0]?.emit('return', { properties: { messageId: entry.publication.id } })
    channels[0]?.answers[0]?.(null)

    expect(confirmedLate).to.deep.equal([])
  })

  it('send again what was under way beside a message that the server finds too large, and that one no more', async () => {
    const { channels, tooLarge, entryOf, send } = given()
    await settled()
    const [small, large] = [entryOf('mail', 10), entryOf('files', 300)]
    for (const entry of [small, large]) send(entry)

    const why = new Error('Channel closed by server: 406 (PRECONDITION-FAILED) with message "… larger than configured max size 200"')
    channels[0]?.emit('error', Object.assign(why, { code: 406 }))
    channels[0]?.emit('close')

    expect(tooLarge).to.deep.equal([[large, 200]])
    expect([small.lane.size, large.lane.size]).to.deep.equal([1, 0])
  })

  it('send one message at a time to a queue whose confirms do not come, on a channel of its own', async () => {
    const { channels, flights, entryOf, send, pass } = given()
    await settled()
    const { lane } = entryOf('mail')
    for (let number = 0; number < 3; number++) send(entryOf('mail'))

    pass(100)
    flights.of(lane)
    await settled()
    const own = flightOf(flights, lane)
    const next = lane.shift()
    if (next !== undefined) send(next)

    expect(own.lane).to.equal(lane)
    expect(channels.at(-1)?.answers).to.have.length(1)
    expect(flights.roomFor(lane, own)).to.equal(0)
  })

  it('give a connection up on which nothing is confirmed, and for one queue alone less and less often', async () => {
    const { left, connect, entryOf, send, pass } = given()
    await settled()
    send(entryOf('mail'))

    pass(100)
    for (const patienceMs of [100, 200, 400, 800, 1600, 1600]) {
      const before = left.length
      pass(patienceMs - 1)
      expect(left).to.have.length(before)
      pass(1)
      expect(left).to.have.length(before + 1)
      connect()
    }
  })

  it('keep a connection on which one queue is silent while another confirms', async () => {
    const { channels, left, entryOf, send, pass } = given()
    await settled()
    send(entryOf('mail'))
    channels[0]?.answers.shift()

    for (let round = 0; round < 100; round++) {
      send(entryOf('other'))
      for (const { answers } of channels) for (const answer of answers.splice(0)) answer(null)
      pass(50)
      await settled()
    }

    expect(left).to.deep.equal([])
  })
})

function flightOf(flights: Flights, lane: Lane) {
  const flight = flights.of(lane)
  if (flight === undefined) throw new Error('there is no channel for the lane')
  return flight
}
