import { expect } from 'chai'
import { runInNewContext } from 'node:vm'
import { decodeValue } from '#src/core/codec/decode.js'
import { setErrorStacks } from '#src/core/codec/error-stacks.js'
import { encodeArguments, encodeValue } from '#src/core/codec/encode.js'

const SUBJECT = 'Cannot send MailService.sendWelcome'

const travel = (value: unknown): unknown => decodeValue(encodeValue(value, SUBJECT, 'the value'))

describe('values that travel', () => {
  const equals: Record<string, unknown> = {
    'a text': 'àèìòù \u{1F600}',
    'a text with a lone surrogate': 'a\ud800b',
    'an empty text': '',
    'a number': -12.5e300,
    'minus zero': -0,
    'NaN': NaN,
    'infinity': [Infinity, -Infinity],
    'null and booleans': [null, true, false],
    'undefined': undefined,
    'undefined in a list': [undefined, 1, undefined],
    'a BigInt': [12n, -98765432109876543210n],
    'a Date': new Date('2026-02-28T12:34:56.789Z'),
    'a Date far away': new Date(8.64e15),
    'a Map with keys of any kind': new Map<unknown, unknown>([
      ['a', 1],
      [{ deep: new Date(0) }, undefined],
      [NaN, null],
      [2n, new Map()],
    ]),
    'a Set': new Set<unknown>(['a', 1, undefined, [1]]),
    'a Buffer': Buffer.from([0, 255, 128]),
    'an ArrayBuffer': new Uint8Array([1, 2, 3]).buffer,
    'a RegExp': /^a\/b[\s\S]$/giu,
    'a URL': new URL('https://ada@example.org:8080/a?b=c#d'),
    'an object with a field "$"': { $: 'date', v: 'x', deep: { $: { $: 1 } } },
    'a field called constructor': { constructor: 'x', toString: 1, hasOwnProperty: null },
    'odd field names': { '': 1, '0': 2, 'a b': 3, '\u0000': 4 },
    'a field called toJSON': { toJSON: 'no function' },
    'an empty object in an empty list': [[], {}, [[]]],
    'an object without prototype': Object.assign(Object.create(null) as object, { a: 1, $: new Date(1) }),
  }
  for (const [title, value] of Object.entries(equals)) {
    it(`${title} comes back equal`, () => {
      expect(travel(value)).to.deep.equal(value)
      expect(travel({ inside: [value] })).to.deep.equal({ inside: [value] })
    })
  }

  const narrow = [Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array]
  for (const View of [...narrow, Int32Array, Uint32Array, Float32Array, Float64Array]) {
    it(`a ${View.name} comes back as one, also a window of a larger buffer`, () => {
      const value = new View(new View([1, 2, 3, 200]).buffer, View.BYTES_PER_ELEMENT, 2)

      const back = travel(value)

      expect(back).to.be.instanceOf(View).and.deep.equal(value)
    })
  }

  it('views of BigInts and a DataView come back', () => {
    const words = new BigInt64Array([1n, -2n])
    const view = new DataView(new Uint8Array([1, 2, 3, 4]).buffer, 1, 2)

    const [back, backView] = travel([words, view]) as [BigInt64Array, DataView]

    expect(back).to.deep.equal(words)
    expect(backView).to.be.instanceOf(DataView)
    expect([backView.byteLength, backView.getUint16(0)]).to.deep.equal([2, 0x0203])
  })

  it('an invalid Date stays invalid', () => {
    expect(travel(new Date(NaN))).to.satisfy((date: Date) => date instanceof Date && Number.isNaN(date.getTime()))
  })

  it('a field that is undefined is still a field', () => {
    expect(Object.keys(travel({ a: undefined, b: 1 }) as object)).to.deep.equal(['a', 'b'])
  })

  it('holes of a list stay holes', () => {
    // oxlint-disable-next-line no-sparse-arrays -- the hole is what is tested
    const back = travel([1, , undefined, ,]) as unknown[]

    expect(back).to.have.lengthOf(4)
    expect(Object.keys(back)).to.deep.equal(['0', '2'])
  })

  it('an object without prototype has none afterwards', () => {
    expect(Object.getPrototypeOf(travel(Object.create(null)))).to.equal(null)
  })

  it('boxed primitives stay boxed, as in a structured clone', () => {
    const back = travel([new Number(-0), new String('ab'), new Boolean(false), Object(5n)]) as object[]

    expect(back.map((one) => typeof one)).to.deep.equal(['object', 'object', 'object', 'object'])
    expect(back.map((one) => one.valueOf())).to.deep.equal([-0, 'ab', false, 5n])
  })

  it('a getter arrives as the value it gave, and a field that is not enumerable stays behind, as in a structured clone', () => {
    const value = Object.defineProperty({ get a() { return new Date(0) } }, 'hidden', { value: 1 })

    expect(Object.getOwnPropertyDescriptors(travel(value))).to.deep.equal({
      a: { value: new Date(0), writable: true, enumerable: true, configurable: true },
    })
  })

  it('a proxy of plain data arrives as the data it shows', () => {
    expect(travel(new Proxy({ a: 1 }, { get: () => new Date(0) }))).to.deep.equal({ a: new Date(0) })
  })

  it('values of another realm come back as values of this one', () => {
    const value: unknown = runInNewContext('({ list: [1, undefined], date: new Date(5), map: new Map([[1, { a: 2n }]]) })')

    expect(travel(value)).to.deep.equal({ list: [1, undefined], date: new Date(5), map: new Map([[1, { a: 2n }]]) })
  })

  it('what the caller changes after the call is not seen', () => {
    const order = { items: [1], at: new Date(0) }
    const text = encodeArguments([order], SUBJECT)

    order.items.push(2)
    order.at.setTime(1)

    expect(decodeValue(text)).to.deep.equal([{ items: [1], at: new Date(0) }])
  })

  it('plain data is written as the JSON it is, and tags are readable', () => {
    expect(encodeArguments([{ a: [1, 'x', null] }], SUBJECT)).to.equal('[{"a":[1,"x",null]}]')
    expect(encodeArguments([new Date(0)], SUBJECT)).to.equal('[{"$":"date","v":"1970-01-01T00:00:00.000Z"}]')
  })
})

describe('one object in several places', () => {
  it('is one object afterwards too, among plain data and inside tags', () => {
    const user = { name: 'Ada' }
    const date = new Date(0)

    type Back = [object, object, object[], Map<object, object>]
    const [a, b, list, map] = travel([user, user, [date, user], new Map([[date, user]])]) as Back

    expect(b).to.equal(a)
    expect(list[1]).to.equal(a)
    expect(map.get(list[0] ?? {})).to.equal(a)
  })

  it('costs nothing where nothing is shared', () => {
    expect(encodeValue({ a: { x: 1 }, b: { x: 1 } }, SUBJECT, 'it')).to.equal('{"a":{"x":1},"b":{"x":1}}')
    expect(encodeValue([undefined, {}], SUBJECT, 'it')).to.not.match(/"(id|ref)"/)
  })

  it('may contain itself: object, list, Map, Set, bare object, error', () => {
    const object: Record<string, unknown> = { $: 'data' }
    object['self'] = object
    const list: unknown[] = [1]
    list.push(list)
    const map = new Map<unknown, unknown>()
    map.set(map, map)
    const set = new Set<unknown>()
    set.add([set])
    const bare = Object.create(null) as Record<string, unknown>
    bare['self'] = bare
    const error = new Error('loop')
    error.cause = { error }

    type Back = [typeof object, unknown[], typeof map, typeof set, typeof bare, Error]
    const back = travel([object, list, map, set, bare, error]) as Back

    expect(back[0]['self']).to.equal(back[0])
    expect(back[1][1]).to.equal(back[1])
    expect(back[2].get(back[2])).to.equal(back[2])
    expect([...back[3]]).to.satisfy(([inner]: unknown[][]) => inner?.[0] === back[3])
    expect(back[4]['self']).to.equal(back[4])
    expect((back[5].cause as { error: unknown }).error).to.equal(back[5])
  })

  it('is noticed among many objects', () => {
    const many = Array.from({ length: 100 }, (_, index) => ({ index }))

    const back = travel([...many, many[70]]) as object[]

    expect(back[100]).to.equal(back[70])
  })
})

describe('errors that travel', () => {
  it('keep name, message, code and cause, and their built-in class', () => {
    const error = Object.assign(new TypeError('bad', { cause: new RangeError('deep') }), { code: 'E_BAD', at: new Date(0) })

    const back = travel(error) as TypeError & { code: string; at: Date }

    expect(back).to.be.instanceOf(TypeError)
    expect([back.name, back.message, back.code, back.at]).to.deep.equal(['TypeError', 'bad', 'E_BAD', new Date(0)])
    expect(back.cause).to.be.instanceOf(RangeError).with.property('message', 'deep')
    expect(Object.keys(back)).to.deep.equal(['code', 'at'])
  })

  it('leave the stack behind', () => {
    const text = encodeValue(new Error('boom'), SUBJECT, 'the error')

    expect(text).to.not.contain('survival.test')
    expect((decodeValue(text) as Error).stack).to.equal('Error: boom')
  })

  it('bring it where that is asked for, also of their causes, up to a length', () => {
    setErrorStacks(true)
    try {
      const back = travel(new Error('boom', { cause: new TypeError('deep'.repeat(2000)) })) as Error & { cause: Error }

      expect(back.stack).to.match(/^Error: boom\n.*survival\.test/)
      expect(Object.keys(back)).to.deep.equal([])
      expect(back.cause.stack).to.have.length(4096)
    } finally {
      setErrorStacks(false)
    }
  })

  it('keep the errors of an AggregateError', () => {
    const back = travel(new AggregateError([new Error('a'), 'b'], 'both')) as AggregateError

    expect(back).to.be.instanceOf(AggregateError)
    expect(back.errors[0]).to.be.instanceOf(Error).with.property('message', 'a')
    expect(back.errors[1]).to.equal('b')
  })

  it('keep the name of a class that is not registered, as an instance of the nearest built-in class', () => {
    class CardDeclined extends RangeError {
      override readonly name = 'CardDeclined'
    }

    const back = travel(new CardDeclined('no money')) as Error

    expect(back).to.be.instanceOf(RangeError)
    expect([back.name, back.message]).to.deep.equal(['CardDeclined', 'no money'])
  })

  it('keep a DOMException such as the reason of an abort', () => {
    const back = travel(AbortSignal.abort().reason) as DOMException

    expect(back).to.be.instanceOf(DOMException)
    expect([back.name, back.code]).to.deep.equal(['AbortError', 20])
  })
})
