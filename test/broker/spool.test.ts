import { statSync } from 'node:fs'
import { expect } from 'chai'
import { newId, systemClock } from '#src/core/clock.js'
import { deadQueueOf, type OutgoingMessage } from '#src/broker/broker.js'
import { openSpoolingBroker } from '#src/broker/spool/broker.js'
import { OUTBOX } from '#src/broker/spool/spooled.js'
import { openSqliteBroker } from '#src/broker/sqlite/open.js'
import { codeOf, keptLog } from '../kit/rabbit-case.js'
import { SwitchedBroker } from '../kit/switched-broker.js'
import { eachScope } from '../kit/temporary.js'
import { until } from '../kit/until.js'

describe('the outbox', function () {
  this.timeout(120_000)
  const scope = eachScope()

  /** A process with an outbox, and the calls it makes: their bodies are their numbers. */
  async function openProcess(remote: SwitchedBroker, { limit = 100_000 } = {}) {
    const { log, lines } = keptLog()
    const local = await openSqliteBroker({ file: scope().file('outbox.sqlite') })
    const turnFile = scope().file('turn.sqlite')
    const broker = scope().use(await openSpoolingBroker({ remote, local, turnFile, limit, clock: systemClock, log }))
    const publish = (text: string | number, more: Partial<OutgoingMessage> = {}): Promise<void> =>
      broker.publish({ id: newId(), queue: 'work', body: Buffer.from(String(text)), ...more })
    return { broker, lines, publish, kept: async () => (await local.count(OUTBOX)).waiting, dead: async () => (await local.count(OUTBOX)).dead }
  }

  async function given(options: { limit?: number } = {}) {
    const remote = new SwitchedBroker()
    return { remote, ...(await openProcess(remote, options)) }
  }

  const texts = (remote: SwitchedBroker): string[] => remote.published.map(({ body }) => body.toString())
  const numbers = (count: number, from = 0): string[] => Array.from({ length: count }, (_, index) => String(index + from))

  it('stays empty while the broker is there', async () => {
    const { remote, publish, kept } = await given()

    for (const number of numbers(5)) await publish(number)

    expect(texts(remote)).to.deep.equal(numbers(5))
    expect(await kept()).to.equal(0)
  })

  it('keeps calls while the broker is away and sends them in their order when it is back, new ones behind them', async () => {
    const { remote, publish, kept } = await given()
    await publish(0)
    remote.refusal = 'BROKER_UNREACHABLE'
    for (const number of numbers(299, 1)) await publish(number)
    expect(await kept()).to.equal(299)

    remote.refusal = undefined
    for (const number of numbers(300, 300)) await publish(number)

    await until('all of them', () => remote.published.length >= 600)
    expect(texts(remote)).to.deep.equal(numbers(600))
    await until('an empty outbox', async () => (await kept()) === 0)
  })

  it('keeps what the broker may have or not: it may come twice, and is not lost', async () => {
    const { remote, publish } = await given()
    remote.refusal = 'PUBLISH_TIMEOUT'

    await publish('perhaps')
    remote.refusal = undefined

    await until('the message', () => texts(remote).includes('perhaps'))
  })

  it('keeps id, bytes, attempt and priority, and lets a delay go on', async () => {
    const { remote, broker } = await given()
    const message = { id: newId(), queue: 'other', body: Buffer.from([0, 255, 10, 0]), attempt: 3, priority: 7, delayMs: 60_000 }
    remote.refusal = 'BROKER_UNREACHABLE'
    const before = Date.now()
    await broker.publish(message)
    await until('some time', () => Date.now() - before >= 200)

    remote.refusal = undefined

    const [sent] = await until('the message', () => remote.published.length > 0 && remote.published)
    expect(sent).to.include({ id: message.id, queue: 'other', attempt: 3, priority: 7 })
    expect(sent?.body.equals(message.body)).to.equal(true)
    expect(sent?.delayMs).to.be.within(1, 59_800)
  })

  it('sends a message whose delay ran out meanwhile at once', async () => {
    const { remote, publish } = await given()
    remote.refusal = 'BROKER_UNREACHABLE'
    const before = Date.now()
    await publish('due', { delayMs: 50 })
    await until('the end of its delay', () => Date.now() - before > 50)

    remote.refusal = undefined

    await until('the message', () => remote.published.length === 1)
    expect(remote.published[0]?.delayMs).to.equal(0)
  })

  it('never keeps a reply: it is tried until the broker is back', async () => {
    const { remote, publish, kept } = await given()
    remote.refusal = 'BROKER_UNREACHABLE'
    const replied = publish('reply', { toTemporary: true })
    await publish('call')
    expect(await kept()).to.equal(1)

    remote.refusal = undefined
    await replied

    expect(texts(remote)).to.include('reply')
  })

  it('a queue for replies can be asked for meanwhile: it stands before what was kept is sent', async () => {
    const { remote, broker, publish } = await given()
    remote.refusal = 'BROKER_UNREACHABLE'
    const replies: string[] = []
    const subscription = await broker.consume('reply-1', { concurrency: 1, temporary: true }, async ({ id }) => {
      replies.push(id)
      return { kind: 'done' }
    })
    await publish('call')
    let stoodFirst = false
    remote.refusalOf = () => {
      stoodFirst = remote.consumed.includes('reply-1')
      return undefined
    }

    remote.refusal = undefined

    await until('the call', () => remote.published.length === 1)
    expect(stoodFirst).to.equal(true)
    await remote.publish({ id: 'answer', queue: 'reply-1', body: Buffer.from('') })
    await until('the answer', () => replies.length === 1)
    await subscription.stop()
  })

  it('a queue for replies that is given up meanwhile never stands', async () => {
    const { remote, broker, publish } = await given()
    remote.refusal = 'BROKER_UNREACHABLE'
    const subscription = await broker.consume('reply-1', { concurrency: 1, temporary: true }, async () => ({ kind: 'done' }))
    await publish('call')
    await subscription.stop()

    remote.refusal = undefined

    await until('the call', () => remote.published.length === 1)
    await remote.publish({ id: 'late', queue: 'reply-1', body: Buffer.from('') })
    expect(await remote.count('reply-1')).to.include({ waiting: 1 })
  })

  for (const code of ['QUEUE_FULL', 'PAYLOAD_TOO_LARGE', 'BROKER_REFUSED'] as const) {
    it(`leaves ${code} to the caller: the broker is there and says no`, async () => {
      const { remote, publish, kept } = await given()
      remote.refusal = code

      expect(await codeOf(publish('no'))).to.equal(code)
      expect(await kept()).to.equal(0)
    })
  }

  it('takes no more than its limit, and says what to do', async () => {
    const { remote, publish } = await given({ limit: 3 })
    remote.refusal = 'BROKER_UNREACHABLE'
    for (const number of numbers(3)) await publish(number)

    const failure: unknown = await publish(3).catch((error: unknown) => error)

    expect(failure).to.have.property('code', 'QUEUE_FULL')
    expect(String(failure)).to.match(/holds 3 messages already.*outboxLimit/)
    remote.refusal = undefined
    await until('room', async () => (await codeOf(publish(4))) === 'nothing')
    await until('those that were kept, and the last', () => remote.published.length === 4)
  })

  it('what a process left behind is sent by the next one, before the calls of that', async () => {
    const { remote, broker, publish } = await given()
    remote.refusal = 'BROKER_UNREACHABLE'
    for (const number of numbers(20)) await publish(number)
    await broker.close()

    remote.refusal = undefined
    const next = await openProcess(remote)
    for (const number of numbers(20, 20)) await next.publish(number)

    await until('all of them', () => remote.published.length >= 40)
    expect(texts(remote)).to.deep.equal(numbers(40))
  })

  it('two processes share it: each message is sent once, those of one process in their order', async () => {
    const { remote, publish, kept } = await given()
    const other = await openProcess(remote)
    remote.refusal = 'BROKER_UNREACHABLE'
    for (const number of numbers(250)) await Promise.all([publish(`a${number}`), other.publish(`b${number}`)])

    remote.refusal = undefined

    await until('an empty outbox', async () => (await kept()) === 0)
    const sent = texts(remote)
    expect(sent).to.have.length(500)
    for (const who of ['a', 'b']) expect(sent.filter((text) => text.startsWith(who))).to.deep.equal(numbers(250).map((number) => who + number))
  })

  it('a message that can never be sent goes aside, and those behind it are sent', async () => {
    const { remote, publish, dead, lines } = await given()
    remote.refusal = 'BROKER_UNREACHABLE'
    for (const number of numbers(5)) await publish(number)
    remote.refusalOf = ({ body }) => (body.toString() === '2' ? 'PAYLOAD_TOO_LARGE' : undefined)

    remote.refusal = undefined

    await until('the others', () => remote.published.length === 4)
    expect(texts(remote)).to.deep.equal(['0', '1', '3', '4'])
    await until('the one aside', async () => (await dead()) === 1)
    expect(lines.join('\n')).to.include(deadQueueOf(OUTBOX)).and.include('PAYLOAD_TOO_LARGE')
  })

  it('a message that is not taken now holds up those behind it, and all come in their order', async () => {
    const { remote, publish } = await given()
    remote.refusal = 'BROKER_UNREACHABLE'
    for (const number of numbers(150)) await publish(number)
    let isRefused = true
    remote.refusalOf = ({ body }) => (isRefused && Number(body.toString()) >= 120 ? 'QUEUE_FULL' : undefined)
    remote.refusal = undefined
    await until('the first ones', () => remote.published.length === 120)

    isRefused = false

    await until('all of them', () => remote.published.length >= 150)
    expect(texts(remote)).to.deep.equal(numbers(150))
  })

  it('a process that never stops calling goes back to the broker all the same', async () => {
    const { remote, publish, kept, lines } = await given()
    remote.refusal = 'BROKER_UNREACHABLE'
    await publish(0)
    remote.refusal = undefined
    let called = 1
    let isOver = false
    const callers = Array.from({ length: 20 }, async () => {
      while (!isOver) await publish(called++)
    })

    await until('the outbox to be left', () => lines.some((line) => line.includes('The outbox is empty')))
    isOver = true
    await Promise.all(callers)

    expect(await kept()).to.equal(0)
    expect(new Set(texts(remote)).size).to.equal(called)
  })

  it('says once that calls are kept, and that they are sent again', async () => {
    const { remote, publish, lines } = await given()
    remote.refusal = 'BROKER_UNREACHABLE'
    await Promise.all(numbers(10).map((number) => publish(number)))
    remote.refusal = undefined

    await until('the end', () => lines.some((line) => line.includes('The outbox is empty')))
    expect(lines.filter((line) => line.includes('Calls are kept'))).to.have.length(1)
  })

  it('says at its end what it still holds, and refuses calls from then on', async () => {
    const { remote, broker, publish, lines } = await given()
    remote.refusal = 'BROKER_UNREACHABLE'
    await publish(0)

    await broker.close()
    await broker.close()

    expect(lines.join('\n')).to.include('The outbox still holds 1 message(s)')
  })

  it('its files are for this user alone', async () => {
    const { remote, publish } = await given()
    remote.refusal = 'BROKER_UNREACHABLE'
    await publish(0)

    for (const name of ['outbox.sqlite', 'outbox.sqlite-wal', 'outbox.sqlite-wake', 'turn.sqlite']) {
      expect(statSync(scope().file(name)).mode & 0o777, name).to.equal(0o600)
    }
  })
})
