import { expect } from 'chai'
import { ErrandError } from 'errand'
import type { Held, Locks } from '#src/broker/locks.js'
import { newId } from '#src/core/clock.js'
import { eachScope, type Scope } from '../kit/temporary.js'
import { until } from '../kit/until.js'

/** What a driver gives to be held against the contract. */
export interface LocksHarness {
  open(scope: Scope): Promise<Locks>
  /** A further connection to the same names, as another process has one. @defaultValue the first connection again */
  second?(scope: Scope): Promise<Locks>
  /** Takes `name` in a process of its own; the answer kills that process, and resolves when it is gone. */
  holdElsewhere?(scope: Scope, name: string): Promise<() => Promise<void>>
  /** Locks that lose their connection when the answer's `cut` is called. */
  fragile?(scope: Scope): Promise<{ readonly locks: Locks; cut(): Promise<void> | void }>
  /** Cases this driver cannot pass: name to reason. A case listed here that passes, or that does not exist, fails the suite. */
  readonly except?: Readonly<Record<string, string>>
}

class LocksCase {
  /** No other test uses a name that begins like this. */
  readonly name = `contract ${newId()}`

  constructor(
    readonly scope: Scope,
    readonly harness: LocksHarness,
    readonly locks: Locks,
    readonly patienceMs: number,
  ) {}

  async second(): Promise<Locks> {
    return this.harness.second === undefined ? this.locks : this.scope.use(await this.harness.second(this.scope))
  }

  async until<T>(what: string, condition: () => T | Promise<T>): Promise<Exclude<T, false | null | undefined>> {
    return until(what, condition, this.patienceMs)
  }

  async taken(name = this.name, locks = this.locks): Promise<Held> {
    const held = await locks.take(name)
    if (held === undefined) throw new Error(`${name} was not free`)
    return held
  }

  async crash(name: string): Promise<() => Promise<void>> {
    if (this.harness.holdElsewhere === undefined) throw new Error('this driver has no way to hold a name elsewhere')
    return this.harness.holdElsewhere(this.scope, name)
  }
}

type Cases = Readonly<Record<string, (c: LocksCase) => Promise<void>>>

const take: Cases = {
  'a name that nobody holds is taken': async (c) => {
    expect(await c.locks.take(c.name)).not.to.equal(undefined)
  },

  'a name that this connection holds is not taken again': async (c) => {
    await c.taken()

    expect(await c.locks.take(c.name)).to.equal(undefined)
  },

  'a name that another connection holds is not taken': async (c) => {
    await c.taken(c.name, await c.second())

    expect(await c.locks.take(c.name)).to.equal(undefined)
  },

  'of many that want a name at once, one gets it': async (c) => {
    const second = await c.second()
    const wanting = Array.from({ length: 20 }, (_, index) => (index % 2 === 0 ? c.locks : second).take(c.name))

    expect((await Promise.all(wanting)).filter((held) => held !== undefined)).to.have.length(1)
  },

  'what is held does not count as lost': async (c) => {
    const held = await c.taken()

    await c.locks.take(c.name)
    expect(held.lost.aborted).to.equal(false)
  },
}

const release: Cases = {
  'a name that was let go is free for another at once': async (c) => {
    const second = await c.second()
    const held = await c.taken()

    await held.release()

    expect(await second.take(c.name)).not.to.equal(undefined)
  },

  'and for the same connection, again and again': async (c) => {
    for (let round = 0; round < 50; round++) await (await c.taken()).release()
  },

  'letting go twice does not take the name from who has it now': async (c) => {
    const second = await c.second()
    const held = await c.taken()
    await held.release()
    await c.taken(c.name, second)

    await held.release()

    expect(await c.locks.take(c.name)).to.equal(undefined)
  },

  'letting go is no loss': async (c) => {
    const held = await c.taken()

    await held.release()

    expect(held.lost.aborted).to.equal(false)
  },

  'letting go of one name keeps the others': async (c) => {
    const held = await c.taken(`${c.name} a`)
    await c.taken(`${c.name} b`)

    await held.release()

    expect(await c.locks.take(`${c.name} b`)).to.equal(undefined)
  },
}

const ends: Cases = {
  'the death of the process that holds a name frees it': async (c) => {
    const kill = await c.crash(c.name)
    expect(await c.locks.take(c.name)).to.equal(undefined)

    await kill()

    await c.until('the name to be free', async () => (await c.locks.take(c.name)) !== undefined)
  },

  'the death of a process frees nothing that another holds': async (c) => {
    const second = await c.second()
    await c.taken(`${c.name} mine`)
    const kill = await c.crash(c.name)

    await kill()
    await c.until('the name to be free', async () => (await c.locks.take(c.name)) !== undefined)

    expect(await second.take(`${c.name} mine`)).to.equal(undefined)
  },

  'a lost connection aborts what was held, and the names are free': async (c) => {
    if (c.harness.fragile === undefined) throw new Error('this driver has no connection to lose')
    const { locks, cut } = await c.harness.fragile(c.scope)
    c.scope.use(locks)
    const held = await c.taken(c.name, locks)

    await cut()

    await c.until('the loss', () => held.lost.aborted)
    await held.release()
    await c.until('the name to be free', async () => (await c.locks.take(c.name)) !== undefined)
  },

  'closing frees every name': async (c) => {
    const second = await c.second()
    const names = Array.from({ length: 20 }, (_, index) => `${c.name} ${index}`)
    await Promise.all(names.map((name) => c.taken(name, second)))

    await second.close()

    for (const name of names) await c.until(`${name} to be free`, async () => (await c.locks.take(name)) !== undefined)
  },

  'closed locks refuse, and close again': async (c) => {
    const held = await c.taken()
    await c.locks.close()
    await c.locks.close()
    await held.release()

    const refused = await c.locks.take(c.name).then(
      () => undefined,
      (error: unknown) => error,
    )

    expect(refused).to.be.instanceOf(ErrandError).and.to.have.property('code', 'BROKER_CLOSED')
  },

  'what is being taken while they close is not held afterwards': async (c) => {
    const second = await c.second()
    const taking = Promise.allSettled(Array.from({ length: 10 }, (_, index) => second.take(`${c.name} ${index}`)))

    await second.close()
    await taking

    for (let index = 0; index < 10; index++) {
      await c.until(`name ${index} to be free`, async () => (await c.locks.take(`${c.name} ${index}`)) !== undefined)
    }
  },
}

const names: Cases = {
  'a thousand names are held side by side, and let go': async (c) => {
    const second = await c.second()
    const many = Array.from({ length: 1_000 }, (_, index) => `${c.name} ${index}`)

    const held = await Promise.all(many.map((name) => c.locks.take(name)))
    const again = await Promise.all(many.map((name) => second.take(name)))
    await Promise.all(held.map(async (one) => one?.release()))

    expect(held.filter((one) => one === undefined)).to.deep.equal([])
    expect(again.filter((one) => one !== undefined)).to.deep.equal([])
    expect(await second.take(`${c.name} 999`)).not.to.equal(undefined)
  },

  'any text is a name of its own': async (c) => {
    const long = 'x'.repeat(10_000)
    const strange = ['', ' ', 'a', 'A', 'a ', 'a\0', 'a\0b', 'é', 'e\u0301', '漢', '\u{1f600}', 'a.b', 'a/b', '#', '*', '%', '__proto__', "'; DROP TABLE x; --", '\n', long, `${long}y`]

    const held = await Promise.all(strange.map((text) => c.locks.take(`${c.name}${text}`)))
    const again = await Promise.all(strange.map((text) => c.locks.take(`${c.name}${text}`)))

    expect(strange.filter((_, index) => held[index] === undefined)).to.deep.equal([])
    expect(strange.filter((_, index) => again[index] !== undefined)).to.deep.equal([])
  },
}

const GROUPS: Readonly<Record<string, Cases>> = { take, release, 'ends of a holder': ends, names }
const PATIENCE_MS = 60_000
const PATIENCE_IN_EXCEPTION_MS = 1_000
const CASE_TIMEOUT_MS = 120_000

/** What every driver of locks promises, as a mocha suite. What a driver cannot do stands in `harness.except` with the reason. */
export function locksContract(driver: string, harness: LocksHarness): void {
  describe(`locks contract: ${driver}`, function () {
    this.timeout(CASE_TIMEOUT_MS)
    const scope = eachScope()
    const exceptions = new Map(Object.entries(harness.except ?? {}))
    const run = async (body: Cases[string], patienceMs: number): Promise<void> =>
      body(new LocksCase(scope(), harness, scope().use(await harness.open(scope())), patienceMs))

    for (const [group, cases] of Object.entries(GROUPS)) {
      describe(group, () => {
        for (const [title, body] of Object.entries(cases)) {
          const reason = exceptions.get(title)
          exceptions.delete(title)
          if (reason === undefined) it(title, () => run(body, PATIENCE_MS))
          else it(`NOT: ${title} (${reason})`, () => refuse(title, () => run(body, PATIENCE_IN_EXCEPTION_MS)))
        }
      })
    }

    it('makes no exception that is unknown', () => {
      expect([...exceptions.keys()]).to.deep.equal([])
    })
  })
}

async function refuse(title: string, body: () => Promise<void>): Promise<void> {
  const passed = await body().then(
    () => true,
    () => false,
  )
  if (passed) throw new Error(`"${title}" passes although it is listed as an exception: take it off the list`)
}
