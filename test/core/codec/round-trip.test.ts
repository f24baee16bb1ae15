import { expect } from 'chai'
import * as fc from 'fast-check'
import { isDeepStrictEqual } from 'node:util'
import { ErrandError } from '#src/errors.js'
import { register } from '#src/core/codec/classes.js'
import { decodeValue } from '#src/core/codec/decode.js'
import { encodeValue } from '#src/core/codec/encode.js'

class Point {
  readonly x: unknown
  readonly y: unknown
  constructor(x: unknown, y: unknown) {
    this.x = x
    this.y = y
  }
}
class Denied extends TypeError {
  readonly why: unknown
  constructor(message: string, why: unknown) {
    super(message)
    this.why = why
  }
}
register(Point, { name: 'round-trip.Point' })
register(Denied, { name: 'round-trip.Denied' })

const word = fc.constantFrom('$', 'v', 'n', 'constructor', 'toJSON', 'length')
const key = fc.oneof(fc.string(), word).filter((text) => text !== '__proto__')

const { value: anyValue } = fc.letrec<{ value: unknown; leaf: unknown }>((tie) => ({
  leaf: fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.double(),
    fc.integer(),
    fc.boolean(),
    fc.constantFrom(null, undefined, NaN, -0, Infinity, -Infinity),
    fc.bigInt(),
    fc.date({ noInvalidDate: true }),
    fc.uint8Array().map((bytes) => Buffer.from(bytes)),
    fc.uint8Array(),
    fc.float64Array(),
    fc.bigInt64Array(),
    fc.uint8Array().map((bytes) => new Uint8Array(bytes).buffer),
    fc.webUrl().map((url) => new URL(url)),
    fc.constantFrom(/a+/g, /\//u, /[\t"]/),
    fc.double().map((number) => Object(number) as unknown),
  ),
  value: fc.oneof(
    { maxDepth: 5, depthSize: 'small' },
    tie('leaf'),
    fc.array(tie('value'), { maxLength: 5 }),
    fc.dictionary(key, tie('value'), { maxKeys: 5 }),
    fc.dictionary(key, tie('value'), { maxKeys: 5, noNullPrototype: true }),
    fc.array(fc.tuple(tie('value'), tie('value')), { maxLength: 4 }).map((pairs) => new Map(pairs)),
    fc.array(tie('value'), { maxLength: 4 }).map((items) => new Set(items)),
    fc.tuple(tie('value'), tie('value')).map(([x, y]) => new Point(x, y)),
    fc.tuple(fc.string(), tie('value')).map(([message, why]) => new Denied(message, why)),
    fc.tuple(fc.string(), tie('value')).map(([message, cause]) => new RangeError(message, { cause })),
    tie('value').map((twice) => [twice, { twice }]),
  ),
}))

const write = (value: unknown): string => encodeValue(value, 'Cannot send it', 'the value')

/** Stacks stay behind by design, and the comparison would look at them. */
function withoutStacks(value: unknown, seen = new Set<unknown>()): unknown {
  if (typeof value !== 'object' || value === null || seen.has(value)) return value
  seen.add(value)
  if (value instanceof Error) Object.defineProperty(value, 'stack', { value: '', configurable: true })
  const parts: unknown[] = value instanceof Map || value instanceof Set ? [...value.keys(), ...value.values()] : []
  const names = ArrayBuffer.isView(value) ? [] : Object.getOwnPropertyNames(value)
  for (const part of [...parts, ...names.map((name): unknown => Reflect.get(value, name))]) withoutStacks(part, seen)
  return value
}

describe('the round trip of a value', function () {
  this.timeout(120_000)

  it('gives an equal value of the same classes, whatever is nested in what', () => {
    fc.assert(
      fc.property(anyValue, (value) => {
        const back = decodeValue(write(value))

        expect(isDeepStrictEqual(withoutStacks(back), withoutStacks(value)), write(value)).to.equal(true)
      }),
      { numRuns: 1500 },
    )
  })

  it('written a second time gives the same text', () => {
    fc.assert(
      fc.property(anyValue, (value) => {
        const text = write(value)

        expect(write(decodeValue(text))).to.equal(text)
      }),
      { numRuns: 500 },
    )
  })

  it('of a text that was cut or altered ends in a value or in VALUE_UNREADABLE, and no prototype changes', () => {
    const insert = fc.constantFrom('', '"', '{', '}', '[', '$', 'ref', '1', '"__proto__":', 'map')
    const damage = fc.record({ at: fc.nat(), cut: fc.nat(12), insert })
    fc.assert(
      fc.property(anyValue, fc.array(damage, { minLength: 1, maxLength: 3 }), (value, damages) => {
        let text = write(value)
        for (const { at, cut, insert } of damages) {
          const from = at % (text.length + 1)
          text = text.slice(0, from) + insert + text.slice(from + cut)
        }

        expectValueOrUnreadable(text)
      }),
      { numRuns: 1500 },
    )
  })

  it('of JSON made of the words of this format ends the same way', () => {
    const words = '$ v n id ref map set date class error obj bare message cause errors bytes round-trip.Point __proto__'
    const word = fc.constantFrom(...words.split(' '))
    const { json } = fc.letrec<{ json: unknown }>((tie) => ({
      json: fc.oneof(
        { maxDepth: 5 },
        word,
        fc.constantFrom(null, 1, 0, true),
        fc.array(tie('json'), { maxLength: 3 }),
        fc.dictionary(word, tie('json'), { maxKeys: 4 }),
        fc.tuple(word, tie('json')).map(([tag, v]) => ({ $: tag, v })),
        fc.tuple(word, word, tie('json')).map(([tag, n, v]) => ({ $: tag, n, v })),
      ),
    }))
    fc.assert(
      fc.property(json, (value) => expectValueOrUnreadable(JSON.stringify(value))),
      { numRuns: 3000 },
    )
  })
})

function expectValueOrUnreadable(text: string): void {
  const before = Reflect.ownKeys(Object.prototype).length
  try {
    decodeValue(text)
  } catch (error) {
    expect(error).to.be.instanceOf(ErrandError).with.property('code', 'VALUE_UNREADABLE')
  }
  expect(Reflect.ownKeys(Object.prototype)).to.have.lengthOf(before)
  expect(Object.getPrototypeOf(new Point(1, 2))).to.equal(Point.prototype)
}
