import { expect } from 'chai'
import { EventEmitter } from 'node:events'
import { Readable } from 'node:stream'
import { ErrandError } from '#src/errors.js'
import { encodeArguments, encodeValue } from '#src/core/codec/encode.js'

const SUBJECT = 'Cannot send MailService.sendWelcome'

function refusalOf(encode: () => string): ErrandError {
  try {
    encode()
  } catch (error) {
    if (error instanceof ErrandError && error.code === 'VALUE_UNSERIALIZABLE') return error
    throw error
  }
  throw new ErrandError('CALL_INVALID', 'it was not refused')
}

const refused = (...args: unknown[]): string => refusalOf(() => encodeArguments(args, SUBJECT)).message

class Stranger {
  readonly id = 1
}

describe('values that cannot travel', () => {
  const cases: Record<string, [value: () => unknown, problem: string]> = {
    'a stream of the web': [() => new ReadableStream(), 'is a ReadableStream. Pass an id, or register its class.'],
    'a stream of Node': [() => Readable.from([]), 'is a Readable. Pass an id, or register its class.'],
    'an emitter': [() => new EventEmitter(), 'is an EventEmitter. Pass an id, or register its class.'],
    'a Blob': [() => new Blob(['x']), 'is a Blob. Pass an id, or register its class.'],
    'a function': [() => () => 1, 'is a function. Pass what it needs as data.'],
    'a proxy of a function': [() => new Proxy(() => 1, {}), 'is a function. Pass what it needs as data.'],
    'a symbol': [() => Symbol('x'), 'is a symbol. Pass a text instead.'],
    'a boxed symbol': [() => Object(Symbol('x')) as unknown, 'is a symbol. Pass a text instead.'],
    'a promise': [() => Promise.resolve(1), 'is a Promise. Await it first.'],
    'a WeakMap': [() => new WeakMap(), 'is a WeakMap. Pass an id, or register its class.'],
    'a generator': [() => (function* () { yield 1 })(), 'is a Generator. Pass an id, or register its class.'],
    'shared memory': [() => new SharedArrayBuffer(1), 'is a SharedArrayBuffer. Pass an id, or register its class.'],
    'an instance of a class nobody registered': [
      () => new Stranger(),
      'is an instance of Stranger, which is not registered. Call register(Stranger).',
    ],
    'a subclass of a built-in class': [
      () => new (class Tags extends Set {})(),
      'is an instance of Tags, which is not registered. Call register(Tags).',
    ],
    'an object with a strange prototype': [
      (): unknown => Object.create({ a: 1 }),
      'is an object with a prototype that is no class. Pass an id, or register its class.',
    ],
    'a symbol as a field': [
      () => ({ [Symbol('tenant')]: 1 }),
      'has a field with a symbol for its name. Use a text, or register its class with encode and decode.',
    ],
    'an array with fields': [() => 'abc'.match(/b/), 'is an array with a field "groups". Pass an object.'],
    'a list too sparse': [() => Object.assign([], { length: 100_000 }), 'is a sparse array of 100000 elements. Pass a Map.'],
    'a Date with fields': [
      () => Object.assign(new Date(), { zone: 'x' }),
      'is a Date with fields of its own. Pass them beside it.',
    ],
    'a field "__proto__"': [(): unknown => JSON.parse('{"__proto__":{"admin":true}}'), 'has a field "__proto__". Leave it out.'],
    'a text object with fields': [
      () => Object.assign(new String('ab'), { a: 1 }),
      'is a String with fields of its own. Pass them beside it.',
    ],
    'a proxy that was revoked': [
      () => {
        const { proxy, revoke } = Proxy.revocable({}, {})
        revoke()
        return proxy
      },
      'cannot be read. Look at the cause.',
    ],
    'a huge BigInt': [() => 10n ** 5000n, 'is a BigInt of more than 4096 digits. Pass an id, or a Buffer.'],
    'a long RegExp': [() => new RegExp('x'.repeat(2001)), 'is a RegExp of more than 2000 characters. Pass a shorter one.'],
  }
  for (const [title, [make, problem]] of Object.entries(cases)) {
    it(`${title}: the refusal says where it is, what it is and what to do`, () => {
      expect(refused('x', { order: { stream: make() } })).to.equal(`${SUBJECT}: argument 1 at "order.stream" ${problem}`)
    })
  }

  it('the example of the guide reads as it is written there', () => {
    expect(refused({ order: { stream: new ReadableStream() } })).to.equal(
      'Cannot send MailService.sendWelcome: argument 0 at "order.stream" is a ReadableStream. Pass an id, or register its class.',
    )
  })

  it('an argument that is itself the culprit needs no path', () => {
    expect(refused(1, Symbol('x'))).to.equal(`${SUBJECT}: argument 1 is a symbol. Pass a text instead.`)
  })

  it('a whole argument of a class nobody registered may be made known by its task', () => {
    expect(refused('x', new Stranger())).to.equal(
      `${SUBJECT}: argument 1 is an instance of Stranger, which is not registered. ` +
        'Add params: () => [Stranger] to its task, or call register(Stranger).',
    )
  })

  it('a result of a class nobody registered asks for register() alone, which is all that helps there', () => {
    const error = refusalOf(() => encodeValue(new Stranger(), 'Cannot send the result', 'the value'))

    expect(error.message).to.match(/^Cannot send the result: the value is an instance of Stranger, .* Call register\(Stranger\)\.$/)
  })

  it('a user of a class nobody registered may also be mapped to its data', () => {
    const refusedContext = (context: object) => refusalOf(() => encodeValue(context, 'Cannot send A.b', 'the context')).message

    expect(refusedContext({ user: new Stranger() })).to.equal(
      'Cannot send A.b: the context at "user" is an instance of Stranger, which is not registered. ' +
        'Call register(Stranger), or map it: requestContext({ user: (req) => ({ id: req.user.id }) }).',
    )
    expect(refusedContext({ tenant: new Stranger() })).to.match(/not registered\. Call register\(Stranger\)\.$/)
  })

  it('the path leads through lists, odd names, Maps, Sets and causes', () => {
    const bad = Symbol('x')
    expect(refused([[0, bad]])).to.contain('argument 0 at "[0][1]" is')
    expect(refused({ 'odd key': { a1: bad } })).to.contain('at "["odd key"].a1" is')
    expect(refused({ map: new Map([[1, [bad]]]) })).to.contain('at "map[value 0][0]" is')
    expect(refused({ map: new Map([[bad, 1]]) })).to.contain('at "map[key 0]" is')
    expect(refused({ set: new Set([1, bad]) })).to.contain('at "set[item 1]" is')
    expect(refused(new Error('x', { cause: { bad } }))).to.contain('argument 0 at "cause.bad" is')
  })

  it('a single value is called what the caller of the codec calls it', () => {
    const error = refusalOf(() => encodeValue({ user: () => 1 }, 'Cannot send A.b', 'the context'))

    expect(error.message).to.equal('Cannot send A.b: the context at "user" is a function. Pass what it needs as data.')
  })

  it('200 levels travel and 201 do not', () => {
    const nested = (levels: number): unknown => (levels === 0 ? {} : [nested(levels - 1)])

    expect(() => encodeArguments([nested(199)], SUBJECT)).to.not.throw()
    const problem = 'is nested more than 200 levels deep. Pass an id, or a flatter value.'
    const zeros = '[0]'.repeat(40)
    expect(refused(nested(200))).to.equal(`${SUBJECT}: argument 0 at "${zeros}…${zeros}" ${problem}`)
    expect(refused(new Map([[1, nested(250)]]))).to.contain('is nested more than 200 levels deep')
  })

  it('a getter that throws is named, with its error as the cause', () => {
    const boom = new RangeError('no')

    const error = refusalOf(() => encodeArguments([{ a: { get b() { throw boom } } }], SUBJECT))

    expect(error.message).to.equal(`${SUBJECT}: argument 0 at "a.b" cannot be read. Look at the cause.`)
    expect(error.cause).to.equal(boom)
  })

  it('no value is in a message', () => {
    expect(refused({ 'token': 's3cret', map: new Map([['s3cret', Symbol('s3cret')]]) })).to.not.contain('s3cret')
  })
})
