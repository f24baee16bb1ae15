import { expect } from 'chai'
import { AsyncLocalStorage } from 'node:async_hooks'
import { captureCarriers, carry, restoreCarriers, type Carrier } from '#src/core/carrier.js'
import { ErrandError } from '#src/errors.js'
import { ownCarriers } from '../kit/own-carriers.js'
import { refusalOf } from '../kit/sealing.js'

/** A carrier of one AsyncLocalStorage. */
function storageCarrier(name: string, log: string[] = []): { readonly storage: AsyncLocalStorage<unknown>; readonly carrier: Carrier } {
  const storage = new AsyncLocalStorage<unknown>()
  const restore = <T>(state: unknown, next: () => T): T => {
    log.push(`restore ${name}`)
    return storage.run(state, next)
  }
  return { storage, carrier: { name, capture: () => storage.getStore(), restore } }
}

const broken = (name: string, parts: Partial<Carrier>): Carrier => ({ name, capture: () => 1, restore: (_state, next) => next(), ...parts })

describe('The carriers', () => {
  ownCarriers()

  it('carry nothing when there are none, or none has anything', () => {
    expect(captureCarriers()).to.equal(undefined)

    carry(storageCarrier('empty').carrier)

    expect(captureCarriers()).to.equal(undefined)
    expect(restoreCarriers(undefined, () => 'value')).to.equal('value')
  })

  it('bring their states to the run, the first one outermost', () => {
    const log: string[] = []
    const [one, two] = [storageCarrier('one', log), storageCarrier('two', log)]
    carry(one.carrier)
    carry(two.carrier)

    const states = one.storage.run('first', () => two.storage.run({ second: 2 }, captureCarriers))
    const seen = restoreCarriers(states, () => [one.storage.getStore(), two.storage.getStore()])

    expect(states).to.deep.equal({ one: 'first', two: { second: 2 } })
    expect(seen).to.deep.equal(['first', { second: 2 }])
    expect(log).to.deep.equal(['restore one', 'restore two'])
  })

  it('carry null, 0 and the empty text too', () => {
    const { storage, carrier } = storageCarrier('falsy')
    carry(carrier)

    for (const state of [null, 0, '', false]) {
      const states = storage.run(state, captureCarriers)
      expect(restoreCarriers(states, () => storage.getStore())).to.equal(state)
    }
  })

  it('replace one another by name', () => {
    carry(broken('same', { capture: () => 'old' }))
    carry(broken('same', { capture: () => 'new' }))

    expect(captureCarriers()).to.deep.equal({ same: 'new' })
  })

  it('fail the call when one throws at capture, and say which', () => {
    const cause = new RangeError('boom')
    carry(
      broken('tenant', {
        capture() {
          throw cause
        },
      }),
    )

    const refusal = refusalOf('VALUE_UNSERIALIZABLE', captureCarriers)

    expect(refusal.message).to.include('"tenant"')
    expect(refusal.cause).to.equal(cause)
  })

  it('fail the call with their own words when they have a code', () => {
    const own = new ErrandError('PACKAGE_MISSING', 'Run: npm install x')
    carry(
      broken('tenant', {
        capture() {
          throw own
        },
      }),
    )

    expect(refusalOf('PACKAGE_MISSING', captureCarriers)).to.equal(own)
  })

  it('fail the task when one is not known in the worker, before the body runs', () => {
    let ran = false

    const refusal = refusalOf('CONTEXT_UNRESTORABLE', () => restoreCarriers({ tenant: 1 }, () => (ran = true)))

    expect(refusal.message).to.include('"tenant"').and.to.include('carry()')
    expect(ran).to.equal(false)
  })

  it('fail the task when one throws at restore, now or later, and say which', async () => {
    const cause = new RangeError('boom')
    const fail = (): never => {
      throw cause
    }
    carry(broken('now', { restore: fail }))
    carry(broken('later', { restore: async <T>() => fail() as T } as unknown as Partial<Carrier>))

    const refusals = [
      refusalOf('CONTEXT_UNRESTORABLE', () => restoreCarriers({ now: 1 }, () => 'value')),
      await caught(() => restoreCarriers({ later: 1 }, async () => 'value')),
    ]

    expect(refusals.map((refusal): unknown => Reflect.get(refusal as object, 'cause'))).to.deep.equal([cause, cause])
    expect(refusals.map(String)[0]).to.include('"now"')
    expect(refusals.map(String)[1]).to.include('"later"')
    expect(refusals[1]).to.have.property('code', 'CONTEXT_UNRESTORABLE')
  })

  it('fail the task when one never runs it: a body that did not run is no success', async () => {
    carry(broken('now', { restore: () => undefined as never }))
    carry(broken('later', { restore: async () => {} } as unknown as Partial<Carrier>))

    expect(refusalOf('CONTEXT_UNRESTORABLE', () => restoreCarriers({ now: 1 }, () => 'value')).message).to.include('next()')
    expect(await caught(() => restoreCarriers({ later: 1 }, async () => 'value'))).to.have.property('code', 'CONTEXT_UNRESTORABLE')
  })

  it('may take their time before they run the task', async () => {
    const restore = async (_state: unknown, next: () => unknown): Promise<unknown> => {
      await Promise.resolve()
      return next()
    }
    carry(broken('slow', { restore } as unknown as Partial<Carrier>))
    const own = new TypeError('of the body')

    expect(await restoreCarriers({ slow: 1 }, async () => 'value')).to.equal('value')
    expect(await caught(() => restoreCarriers({ slow: 1 }, () => Promise.reject(own)))).to.equal(own)
  })

  it('leave an error of the body as it is', async () => {
    const own = new TypeError('of the body')
    carry(broken('one', {}))
    carry(broken('two', {}))
    const fail = (): never => {
      throw own
    }

    expect(() => restoreCarriers({ one: 1, two: 2 }, fail)).to.throw(own)
    expect(await caught(() => restoreCarriers({ one: 1, two: 2 }, () => Promise.reject(own)))).to.equal(own)
  })
})

async function caught(fn: () => unknown): Promise<unknown> {
  try {
    await fn()
    return undefined
  } catch (error) {
    return error
  }
}
