/* oxlint-disable no-extraneous-class -- classes without anything are enough to tell them apart */
import { expect } from 'chai'
import { runInThisContext } from 'node:vm'
import { ErrandError } from '#src/errors.js'
import { adoptClasses, register } from '#src/core/codec/classes.js'
import { decodeValue } from '#src/core/codec/decode.js'
import { encodeArguments, encodeValue } from '#src/core/codec/encode.js'

type AnyClass = new (...args: never[]) => object

const write = (value: unknown): string => encodeArguments([value], 'Cannot send A.b')
const travel = <T>(value: T): T => decodeValue(encodeValue(value, 'Cannot send A.b', 'it')) as T

/** A class as another module, or the same module loaded again, would make it. */
const evaluate = (source: string): AnyClass => runInThisContext(`(${source})`) as AnyClass

function coded(code: string, run: () => unknown): string {
  try {
    run()
  } catch (error) {
    if (error instanceof ErrandError && error.code === code) return error.message
    throw error
  }
  throw new ErrandError('CALL_INVALID', `it did not fail with ${code}`)
}

describe('instances of registered classes', () => {
  class Address {
    city = 'London'
  }
  class Person {
    readonly name: string
    home: Address | undefined
    readonly born = new Date(0)
    constructor(name: string) {
      if (name === undefined) throw new RangeError('a person needs a name')
      this.name = name
    }
    get shout(): string {
      return this.name.toUpperCase()
    }
  }
  class Clerk extends Person {}
  register(Person)
  register(Address, { name: 'classes-test.Address' })

  it('come back as instances with their fields, wherever they stand, and no constructor runs', () => {
    const ada = new Person('Ada')
    ada.home = new Address()

    const back = travel({ list: [[ada]], map: new Map([[ada, new Address()]]), set: new Set([{ ada }]) })

    const [person] = back.list[0] ?? []
    expect(person).to.be.instanceOf(Person).and.deep.equal(ada)
    expect(person?.shout).to.equal('ADA')
    expect(person?.home).to.be.instanceOf(Address)
    expect([...back.map.keys()][0]).to.equal(person)
    expect([...back.set][0]?.ada).to.equal(person)
  })

  it('are written under their name with readable fields', () => {
    expect(write(new Address())).to.equal('[{"$":"class","n":"classes-test.Address","v":{"city":"London"}}]')
  })

  it('of a subclass are refused until the subclass is registered too', () => {
    expect(coded('VALUE_UNSERIALIZABLE', () => write({ by: new Clerk('Bob') }))).to.equal(
      'Cannot send A.b: argument 0 at "by" is an instance of Clerk, which is not registered. Call register(Clerk).',
    )

    register(Clerk)

    expect(travel(new Clerk('Bob'))).to.be.instanceOf(Clerk)
  })

  it('may refer to themselves', () => {
    class Knot {
      self: unknown = this
      $ = 1
    }
    register(Knot)

    const back = travel(new Knot())

    expect(back).to.be.instanceOf(Knot)
    expect(back.self).to.equal(back)
    expect(back.$).to.equal(1)
  })

  it('get their fields past setters and read-only accessors of the class', () => {
    class Careful {
      get size(): number {
        return 1
      }
      set name(_: string) {
        throw new RangeError('must not run')
      }
    }
    register(Careful)
    const value = Object.create(Careful.prototype, {
      size: { value: 5, enumerable: true },
      name: { value: 'x', enumerable: true },
    }) as Careful

    expect(Object.entries(travel(value))).to.deep.equal([['size', 5], ['name', 'x']])
  })

  it('with own accessors, functions or symbols are read, refused and refused', () => {
    class Odd {
      constructor(fields: object) {
        Object.defineProperties(this, Object.getOwnPropertyDescriptors(fields))
      }
    }
    register(Odd)

    expect(travel(new Odd({ get a() { return 5 } }))).to.deep.equal(new Odd({ a: 5 }))
    expect(coded('VALUE_UNSERIALIZABLE', () => write(new Odd({ run: () => 1 })))).to.contain('argument 0 at "run" is a function')
    expect(coded('VALUE_UNSERIALIZABLE', () => write(new Odd({ [Symbol('x')]: 1 })))).to.contain('has a field with a symbol')
  })

  it('of error classes come back as errors of that class, with cause and fields', () => {
    class CardDeclined extends RangeError {
      override readonly name = 'CardDeclined'
      readonly reason: Address
      constructor(message: string, reason: Address, options?: ErrorOptions) {
        super(message, options)
        this.reason = reason
      }
    }
    register(CardDeclined)

    const back = travel(new CardDeclined('no', new Address(), { cause: new CardDeclined('deep', new Address()) }))

    expect(back).to.be.instanceOf(CardDeclined)
    expect([back.name, back.message]).to.deep.equal(['CardDeclined', 'no'])
    expect(back.reason).to.be.instanceOf(Address)
    expect(back.cause).to.be.instanceOf(CardDeclined).with.property('message', 'deep')
  })

  it('of the error class of this library come back without being registered', () => {
    const back = travel(new ErrandError('RESULT_TIMEOUT', 'late'))

    expect(back).to.be.instanceOf(ErrandError)
    expect([back.name, back.code, Object.hasOwn(back, 'name')]).to.deep.equal(['ErrandError', 'RESULT_TIMEOUT', false])
  })
})

describe('classes that say themselves what travels', () => {
  class Money {
    readonly #cents: bigint
    constructor(cents: bigint) {
      this.#cents = cents
    }
    get cents(): bigint {
      return this.#cents
    }
  }

  it('need it when they have #private members', () => {
    adoptClasses([Money])

    expect(coded('VALUE_UNSERIALIZABLE', () => write([new Money(5n)]))).to.equal(
      'Cannot send A.b: argument 0 at "[0]" is an instance of Money, whose #private members cannot be copied. ' +
        'Use register(Money, { encode, decode }), or give it toJSON() and a static fromJSON().',
    )

    register(Money, { encode: (money) => [money.cents], decode: (data) => new Money((data as [bigint])[0]) })

    expect(travel([new Money(5n)])[0]?.cents).to.equal(5n)
  })

  it('may have a private constructor', () => {
    class Single {
      readonly id: number
      private constructor(id: number) {
        this.id = id
      }
      static of(id: number): Single {
        return new Single(id)
      }
    }
    register(Single, { encode: (single) => single.id, decode: (data) => Single.of(Number(data)) })

    expect(travel(Single.of(3))).to.be.instanceOf(Single).with.property('id', 3)
  })

  it('need it when a parent has #private members, also when a compiler lowered them', () => {
    class Purse extends Money {}
    const Lowered = evaluate('class Lowered { get() { return __classPrivateFieldGet(this, _Lowered_secret, "f") } }')
    adoptClasses([Purse, Lowered])

    expect(coded('VALUE_UNSERIALIZABLE', () => write(new Purse(5n)))).to.contain('of Purse, whose #private members')
    expect(coded('VALUE_UNSERIALIZABLE', () => write(new Lowered()))).to.contain('of Lowered, whose #private members')
  })

  it('are not those that only mention a # in a text, a comment or a colour', () => {
    class Paint {
      colour = '#ffeedd' // see issue #x
      label = `a #tag`
      pattern = "it's #one"
    }
    adoptClasses([Paint])

    expect(travel(new Paint())).to.be.instanceOf(Paint).and.deep.equal(new Paint())
  })

  it('may do so with toJSON() and a static fromJSON()', () => {
    class Secret {
      readonly #value: Date
      constructor(value: Date) {
        this.#value = value
      }
      toJSON(): unknown {
        return { value: this.#value }
      }
      static fromJSON({ value }: { value: Date }): Secret {
        return new Secret(value)
      }
    }
    adoptClasses([Secret])

    expect(travel(new Secret(new Date(7))).toJSON()).to.deep.equal({ value: new Date(7) })
  })

  it('may extend a built-in class, which is refused otherwise', () => {
    class Tags extends Array<string> {}
    adoptClasses([Tags])
    expect(coded('VALUE_UNSERIALIZABLE', () => write(Tags.of('a')))).to.equal(
      'Cannot send A.b: argument 0 is an instance of Tags, which extends Array and holds more than its fields. ' +
        'Use register(Tags, { encode, decode }).',
    )

    register(Tags, { encode: (tags) => [...tags], decode: (data) => Tags.from(data as string[]) })

    expect(travel(Tags.of('a', 'b'))).to.be.instanceOf(Tags).and.have.lengthOf(2)
  })

  it('fail with their own error as the cause', () => {
    const boom = new RangeError('boom')
    const fail = (): never => {
      throw boom
    }
    class In {}
    class Out {}
    register(In, { encode: fail, decode: () => new In() })
    register(Out, { encode: () => 1, decode: fail })

    expect(() => write({ a: new In() })).to.throw(ErrandError, 'argument 0 at "a" cannot be read').with.property('cause', boom)
    expect(() => travel(new Out())).to.throw(ErrandError, 'no instance of Out can be made').with.property('cause', boom)
  })

  it('cannot refer back to themselves from what they give, or give themselves', () => {
    class Loop {
      parent = { loop: this }
    }
    class Same {}
    class Next {}
    register(Loop, { encode: ({ parent }) => parent, decode: () => new Loop() })
    register(Same, { encode: (same) => same, decode: () => new Same() })
    register(Next, { encode: () => new Next(), decode: () => new Next() })

    const problem = 'refers back to an object that is made from it. Pass an id instead.'
    expect(coded('VALUE_UNSERIALIZABLE', () => write(new Loop()))).to.equal(`Cannot send A.b: argument 0 at "loop" ${problem}`)
    expect(coded('VALUE_UNSERIALIZABLE', () => write(new Same()))).to.contain(problem)
    expect(coded('VALUE_UNSERIALIZABLE', () => write(new Next()))).to.contain('more than 200 levels')
  })
})
