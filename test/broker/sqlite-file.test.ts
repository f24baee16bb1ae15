import { expect } from 'chai'
import { existsSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { systemClock, newId, type Clock } from '#src/core/clock.js'
import { silentLogger } from '#src/core/logger.js'
import type { Broker, Delivery, Verdict } from '#src/broker/broker.js'
import { openSqliteBroker, type SqliteBrokerOptions } from '#src/broker/sqlite/open.js'
import type { Database } from '#src/sqlite/driver.js'
import { openDatabase } from '#src/sqlite/open.js'
import { loseOne } from '../kit/queue-process.js'
import { eachScope } from '../kit/temporary.js'
import { until } from '../kit/until.js'

/** The system's clock, moved forward. */
class MovedClock implements Clock {
  byMs = 0
  now(): number {
    return systemClock.now() + this.byMs
  }
  after(ms: number, fn: () => void): () => void {
    return systemClock.after(ms, fn)
  }
}

const DONE: Verdict = { kind: 'done' }
const TABLES = ['broker_message', 'broker_ready', 'broker_delayed', 'broker_claimed', 'broker_owner']

describe('the embedded broker and its file', function () {
  this.timeout(120_000)
  const scope = eachScope()

  const file = () => scope().file('state/queue.db')

  async function open(options: Partial<SqliteBrokerOptions> = {}): Promise<Broker> {
    return scope().use(await openSqliteBroker({ file: file(), ...options }))
  }

  /** The file as no broker sees it. */
  async function inspect(): Promise<Database> {
    const db = await openDatabase({ file: file() })
    scope().defer(() => db.close())
    return db
  }

  function rows(db: Database): Record<string, number> {
    const count = (table: string) => Number(Object.values(db.prepare(`SELECT count(*) FROM ${table}`).get() as object)[0])
    return Object.fromEntries(TABLES.map((table) => [table, count(table)]).filter(([, number]) => number !== 0))
  }

  async function publish(broker: Broker, more: { delayMs?: number; toTemporary?: boolean } = {}): Promise<string> {
    const id = newId()
    await broker.publish({ id, queue: 'work', body: Buffer.from(id), ...more })
    return id
  }

  async function collect(broker: Broker, verdict: (delivery: Delivery) => Verdict = () => DONE): Promise<Delivery[]> {
    const got: Delivery[] = []
    await broker.consume('work', { concurrency: 10 }, async (delivery) => {
      got.push(delivery)
      return verdict(delivery)
    })
    return got
  }

  /** Consumes and answers when it has one delivery in hand. */
  async function holdOne(broker: Broker): Promise<{ delivery: Delivery; settle: (verdict: Verdict) => void }> {
    return new Promise((resolve, reject) => {
      broker
        .consume('work', { concurrency: 1 }, (delivery) => new Promise((settle) => resolve({ delivery, settle })))
        .catch(reject)
    })
  }

  async function codeOf(action: Promise<unknown>): Promise<unknown> {
    return action.then(() => 'no failure', (error: unknown) => (error instanceof Error && 'code' in error ? error.code : error))
  }

  it('the folder, the file and what stands beside it are for this user alone', async () => {
    await publish(await open())

    expect(statSync(scope().file('state')).mode & 0o777).to.equal(0o700)
    for (const name of ['', '-wal', '-shm', '-wake']) expect(statSync(file() + name).mode & 0o777, name).to.equal(0o600)
  })

  it('what was published is there when the file is opened again', async () => {
    const first = await open()
    const id = await publish(first)
    await first.close()

    const got = await collect(await open())

    await until('the message', () => got.length === 1)
    expect(got[0]?.id).to.equal(id)
  })

  it('namespaces in one file do not see each other', async () => {
    const [a, b] = [await open({ namespace: 'a' }), await open({ namespace: 'b' })]
    await publish(a)

    expect(await a.count('work')).to.deep.equal({ waiting: 1, dead: 0 })
    expect(await b.count('work')).to.deep.equal({ waiting: 0, dead: 0 })
  })

  it('a delivery in hand when its broker closes comes again as the same attempt', async () => {
    const first = await open()
    await publish(first)
    await holdOne(first)
    await first.close()

    const got = await collect(await open())

    expect(await until('the message', () => got[0])).to.include({ attempt: 1, crashes: 0 })
  })

  it('nothing stays in the file of messages that are done, of replies nobody took, and of processes that left', async () => {
    const broker = await open()
    let again = 3
    const got = await collect(broker, () => (again-- > 0 ? { kind: 'again', delayMs: 5 } : DONE))
    for (let number = 0; number < 20; number++) await publish(broker, { delayMs: number % 3 })
    await until('all runs', () => got.length === 23)
    const reply = await broker.consume('replies', { concurrency: 1, temporary: true }, async () => DONE)
    await broker.publish({ id: newId(), queue: 'replies', body: Buffer.from('late'), toTemporary: true, delayMs: 60_000 })
    await reply.stop()
    await broker.close()

    const db = await inspect()

    expect(rows(db)).to.deep.equal({})
  })

  it('a message of a temporary queue heeds every verdict, without a claim, and goes when it is done', async () => {
    const broker = await open()
    const db = await inspect()
    const verdicts: Record<string, Verdict[]> = {
      again: [{ kind: 'again', delayMs: 0, note: 'once more' }, DONE],
      late: [{ kind: 'again', delayMs: 20 }, DONE],
      back: [{ kind: 'release' }, DONE],
      dead: [{ kind: 'dead', note: 'why' }],
      done: [DONE],
    }
    const seen: string[] = []
    let claims = 0
    await broker.consume('replies', { concurrency: 2, temporary: true }, async ({ id, attempt, note }) => {
      seen.push([id, attempt, note ?? ''].join(' '))
      claims += rows(db)['broker_claimed'] ?? 0
      return verdicts[id]?.shift() ?? { kind: 'dead', note: 'it came too often' }
    })
    for (const id of Object.keys(verdicts)) await broker.publish({ id, queue: 'replies', body: Buffer.from('reply'), toTemporary: true })
    await broker.publish({ id: 'done', queue: 'replies', body: Buffer.from('later'), toTemporary: true, delayMs: 20 })
    verdicts['done']?.push(DONE)

    await until('all deliveries', () => seen.length === 9)
    await until('an empty queue', async () => (await broker.count('replies')).waiting === 0)

    const expected = ['again 1 ', 'again 2 once more', 'late 1 ', 'late 2 ', 'back 1 ', 'back 1 ', 'dead 1 ', 'done 1 ', 'done 1 ']
    expect([...seen].sort()).to.deep.equal([...expected].sort())
    expect(claims).to.equal(0)
    expect(await broker.count('replies')).to.deep.equal({ waiting: 0, dead: 1 })
  })

  it('fifteen hundred messages that fall due at one moment are all delivered', async () => {
    const broker = await open()
    await Promise.all(Array.from({ length: 1_500 }, () => publish(broker, { delayMs: 50 })))

    const got = await collect(broker)

    await until('all of them', () => got.length === 1_500)
  })

  it('what a process elsewhere holds is left to it until its lease ends', async () => {
    const clock = new MovedClock()
    const broker = await open({ clock })
    await publish(broker)
    await loseOne(scope(), file(), 'work')
    ;(await inspect()).exec("UPDATE broker_owner SET host = 'elsewhere'")

    const got = await collect(broker)
    const next = await publish(broker)
    await until('the next message', () => got.some(({ id }) => id === next))
    expect(got).to.have.length(1)

    clock.byMs = 61_000
    expect(await until('the message', () => got[1])).to.include({ attempt: 2, crashes: 1 })
  })

  it('a process that was taken for dead harms nothing by its late verdict, and goes on', async () => {
    const silent = await open()
    const id = await publish(silent)
    const got: Delivery[] = []
    let settleLate: (verdict: Verdict) => void = () => undefined
    await silent.consume('work', { concurrency: 1 }, (delivery) => {
      got.push(delivery)
      return got.length > 1 ? Promise.resolve(DONE) : new Promise((settle) => (settleLate = settle))
    })
    await until('its delivery', () => got.length === 1)
    const db = await inspect()
    db.exec("UPDATE broker_owner SET host = 'elsewhere', lease = 0")
    const heir = await open()
    expect((await holdOne(heir)).delivery).to.include({ id, attempt: 2, crashes: 1 })

    settleLate(DONE)
    const next = await publish(heir)

    await until('the next message', () => got[1]?.id === next)
    await until('both on the books', () => rows(db)['broker_owner'] === 2)
    await heir.close()
    expect(await until('the first one, which the heir gave back', () => got[2])).to.include({ id, attempt: 2, crashes: 1 })
  })

  it('a process that was taken for dead while it had nothing to do is on the books again by its next renewal', async () => {
    const clock = new MovedClock()
    await collect(await open({ clock }))
    const db = await inspect()
    db.exec('DELETE FROM broker_owner')

    clock.byMs = 11_000

    await until('its entry', () => rows(db)['broker_owner'] === 1)
  })

  it('a file that was removed under a running broker shows in its ping', async () => {
    const broker = await open()
    await broker.ping()
    rmSync(file())

    expect(await codeOf(broker.ping())).to.equal('BROKER_UNREACHABLE')
  })

  it('a file that was removed or replaced under a running broker refuses what would be lost, and says so once', async () => {
    for (const replace of [false, true]) {
      const clock = new MovedClock()
      const errors: string[] = []
      const log = { ...silentLogger, warn: (text: string) => errors.push(text), error: (text: string) => errors.push(text) }
      const broker = await open({ clock, log })
      await publish(broker)
      rmSync(file())
      if (replace) writeFileSync(file(), '')

      clock.byMs = 1_000

      const failure = await publish(broker).catch((error: unknown) => error)
      expect(failure).to.include({ code: 'BROKER_UNREACHABLE' })
      expect(String(failure)).to.include(`${file()} was removed or replaced while it was in use. Restart`)
      expect(await codeOf(publish(broker))).to.equal('BROKER_UNREACHABLE')
      expect(await codeOf(broker.count('work'))).to.equal('BROKER_UNREACHABLE')
      await broker.close()
      expect(errors).to.have.length(1)
      for (const name of ['', '-wal', '-shm']) rmSync(file() + name, { force: true })
    }
  })

  it('a consumer of a file that was removed takes nothing more, notices by itself, and stops in good order', async () => {
    const errors: string[] = []
    const log = { ...silentLogger, warn: (text: string) => errors.push(text), error: (text: string) => errors.push(text) }
    const broker = await open({ log })
    const got: Delivery[] = []
    let settle: (verdict: Verdict) => void = () => undefined
    const subscription = await broker.consume('work', { concurrency: 1 }, (delivery) => {
      got.push(delivery)
      return new Promise((resolve) => (settle = resolve))
    })
    const replies = await broker.consume('replies', { concurrency: 1, temporary: true }, async () => DONE)
    await publish(broker)
    await publish(broker)
    await until('the first message', () => got.length === 1)

    rmSync(file())
    await until('a word about it', () => errors.length > 0)
    settle(DONE)
    await replies.stop()
    await subscription.stop()
    await broker.close()

    expect(got).to.have.length(1)
    expect(errors).to.have.length(1)
    expect(errors[0]).to.include('was removed or replaced')
  })

  it('a file that is something else is refused and not touched', async () => {
    const path = scope().file('notes.txt')
    writeFileSync(path, 'these are my notes, not a database. '.repeat(100))

    expect(await codeOf(openSqliteBroker({ file: path }))).to.equal('DRIVER_UNSUPPORTED')
    expect(existsSync(`${path}-wake`)).to.equal(false)
  })

  it('a file written by a newer release is refused', async () => {
    await (await open()).close()
    ;(await inspect()).exec("UPDATE errand_schema SET version = 99 WHERE part = 'broker'")

    expect(await codeOf(openSqliteBroker({ file: file() }))).to.equal('DRIVER_UNSUPPORTED')
  })

  it('options that cannot be are refused by name', async () => {
    for (const wrong of [{ file: '' }, { file: file(), durability: 'half' }, { file: file(), nmaespace: 'x' }]) {
      // what a caller without types can write
      expect(await codeOf(openSqliteBroker(wrong as SqliteBrokerOptions))).to.equal('OPTION_INVALID')
    }
    expect(existsSync(file())).to.equal(false)
  })
})
