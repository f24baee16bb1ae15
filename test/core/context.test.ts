import { expect } from 'chai'
import { setImmediate as immediate, setTimeout as timer } from 'node:timers/promises'
import { context, currentScope, makeContext, runInScope, withContext } from '#src/core/context.js'
import { silentLogger } from '#src/core/logger.js'

const FLOWS = 1000

/** The id of the user whom `context()` names now. */
const userNow = (): unknown => Reflect.get(context().user ?? {}, 'id')

const as = <T>(id: number, fn: () => T): T => withContext({ user: { id } }, fn)

async function* afterSomeTurns(): AsyncGenerator {
  yield userNow()
  await immediate()
  yield userNow()
  await Promise.resolve()
  yield userNow()
}

/** Whom `context()` names in everything that a body may await. */
async function everywhere(): Promise<unknown[]> {
  const seen: unknown[] = [userNow()]
  await Promise.resolve()
  seen.push(userNow())
  await timer(Math.random() * 5)
  seen.push(userNow())
  await immediate()
  seen.push(userNow())
  await new Promise<void>((resolve) => process.nextTick(() => resolve(void seen.push(userNow()))))
  await new Promise<void>((resolve) => setTimeout(() => resolve(void seen.push(userNow())), Math.random() * 5))
  await new Promise<void>((resolve) => setImmediate(() => resolve(void seen.push(userNow()))))
  await new Promise<void>((resolve) => queueMicrotask(() => resolve(void seen.push(userNow()))))
  for await (const id of afterSomeTurns()) seen.push(id, userNow())
  // oxlint-disable-next-line no-thenable -- a body may await one of another library
  await { then: (resolve: (value: unknown) => void) => resolve(seen.push(userNow())) }
  const inner = await Promise.all([1, 2, 3].map(async () => (await immediate(), userNow())))
  return [...seen, ...inner, userNow()]
}

describe('The context', () => {
  it('is each flow\'s own among a thousand at once, through everything a body awaits', async () => {
    const flows = await Promise.all(Array.from({ length: FLOWS }, (_, id) => as(id, everywhere)))

    flows.forEach((seen, id) => {
      expect(seen.length).to.be.greaterThan(15)
      expect(new Set(seen), `flow ${id}`).to.deep.equal(new Set([id]))
    })
    expect(userNow()).to.equal(undefined)
  })

  it('is empty outside any request, never missing', () => {
    expect(context()).to.deep.equal({
      user: undefined,
      headers: {},
      url: undefined,
      method: undefined,
      requestId: undefined,
      clientAddress: undefined,
    })
    expect(currentScope()).to.equal(undefined)
  })

  it('stays with a flow that outlives the call that began it', async () => {
    let later: Promise<unknown> | undefined

    as(1, () => {
      later = timer(1).then(userNow)
    })

    expect(userNow()).to.equal(undefined)
    expect(await later).to.equal(1)
  })

  it('cannot be changed, neither its fields nor its headers', () => {
    const made = makeContext({ headers: { a: '1' } })

    expect(() => Object.assign(made, { user: { id: 1 } })).to.throw(TypeError)
    expect(() => Object.assign(made.headers, { a: '2' })).to.throw(TypeError)
    expect(() => Object.assign(context(), { url: 'x' })).to.throw(TypeError)
  })

  it('has its headers in lower case, however they were given', () => {
    expect(makeContext({ headers: { 'X-Request-ID': 'r', ACCEPT: '*/*' } }).headers).to.deep.equal({ 'x-request-id': 'r', accept: '*/*' })
  })

  it('copies its headers: who gave them may change them afterwards', () => {
    const headers = { accept: 'a' }
    const made = makeContext({ headers })

    headers.accept = 'b'

    expect(made.headers['accept']).to.equal('a')
  })

  it('lets no header reach a prototype', () => {
    const made = makeContext({ headers: JSON.parse('{"__proto__":"x","a":"1"}') as Record<string, string> })

    expect(Object.keys(made.headers)).to.deep.equal(['a'])
    expect(Object.getPrototypeOf(made.headers)).to.equal(Object.prototype)
  })
})

describe('withContext', () => {
  it('gives back what the function gives, and throws what it throws', async () => {
    const failure = new RangeError('no')

    expect(as(1, () => 'value')).to.equal('value')
    expect(await as(1, async () => 'later')).to.equal('later')
    expect(() =>
      as(1, () => {
        throw failure
      }),
    ).to.throw(failure)
    expect(userNow()).to.equal(undefined)
  })

  it('keeps the fields that it does not name, and puts them all back at the end', () => {
    const outer = { user: { id: 1 }, headers: { a: '1' }, url: 'https://shop.example/', tenant: 'acme' }

    withContext(outer, () => {
      withContext({ user: { id: 2 } }, () => {
        expect(context()).to.deep.include({ user: { id: 2 }, headers: { a: '1' }, url: 'https://shop.example/', tenant: 'acme' })
      })
      withContext({ user: undefined, headers: {} }, () => {
        expect(context()).to.deep.include({ user: undefined, headers: {}, tenant: 'acme' })
      })
      expect(context()).to.deep.include(outer)
    })
  })

  it('leaves the task that is running as it is', () => {
    const task = { id: 't', name: 'Mail.send', attempt: 1, signal: { signal: new AbortController().signal }, log: silentLogger }

    runInScope({ context: undefined, task }, () => {
      as(1, () => {
        expect(currentScope()?.task).to.equal(task)
        expect(userNow()).to.equal(1)
      })
    })
  })
})
