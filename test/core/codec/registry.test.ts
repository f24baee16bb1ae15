/* oxlint-disable no-extraneous-class -- classes without anything are enough to tell them apart */
import { expect } from 'chai'
import { EventEmitter } from 'node:events'
import { Readable } from 'node:stream'
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

describe('adopting the types of parameters', () => {
  it('takes classes of the application, in nested lists too, and passes over everything else', () => {
    class One {}
    class Two {}
    const builtIns = [String, Number, Boolean, Object, Array, Promise, Date, Map, Set, Buffer, Uint8Array, URL, RegExp, Error]
    const others = [Symbol, Function, BigInt, Readable, EventEmitter, ReadableStream, undefined, null, 'x', () => 1]

    adoptClasses([One, [[Two]], ...builtIns, ...others])

    expect(travel([new One(), new Two()]).map((one) => one.constructor)).to.deep.equal([One, Two])
    expect(coded('VALUE_UNSERIALIZABLE', () => write(Readable.from([])))).to.contain('is a Readable. Pass an id')
    expect(travel(new Map([[1, Buffer.from('x')]]))).to.deep.equal(new Map([[1, Buffer.from('x')]]))
  })

  it('of a class that was registered changes nothing', () => {
    class Kept {}
    register(Kept, { name: 'kept.Kept' })

    adoptClasses([Kept])

    expect(write(new Kept())).to.equal('[{"$":"class","n":"kept.Kept","v":{}}]')
  })
})

describe('two classes of one name', () => {
  it('harm nobody until an instance is sent or read; then the error names both and the way out', () => {
    const [First, Second] = [evaluate('class Rival { a() {} }'), evaluate('class Rival extends Object { b() {} }')]
    adoptClasses([First])
    const text = write(new First())
    adoptClasses([Second])

    const sent = coded('VALUE_UNSERIALIZABLE', () => write(new First()))
    const read = coded('VALUE_UNREADABLE', () => decodeValue(text))

    for (const message of [sent, read]) {
      expect(message).to.contain('class Rival and class Rival extends Object')
      expect(message).to.contain("register(Rival, { name: 'billing.Rival' })")
    }
  })

  it('travel once one of them has a name of its own', () => {
    const [First, Second] = [evaluate('class Twice { a() {} }'), evaluate('class Twice { b() {} }')]
    adoptClasses([First, Second])

    register(Second, { name: 'billing.Twice' })

    expect(travel(new First())).to.be.instanceOf(First)
    expect(travel(new Second())).to.be.instanceOf(Second)
  })

  it('and a name given by hand belongs to the class it was given to', () => {
    const [First, Second] = [evaluate('class Owned { a() {} }'), evaluate('class Owned { b() {} }')]
    register(First, { name: 'Owned' })
    adoptClasses([Second])

    expect(travel(new First())).to.be.instanceOf(First)
    expect(coded('VALUE_UNSERIALIZABLE', () => write(new Second()))).to.contain('two different classes')
  })

  it('cannot be given one name by hand', () => {
    const [First, Second] = [evaluate('class Left {}'), evaluate('class Right {}')]
    register(First, { name: 'same' })

    expect(coded('OPTION_INVALID', () => register(Second, { name: 'same' }))).to.equal(
      'register() gives the name "same" to two classes, class Left and class Right. Give each its own.',
    )
  })

  it('are one when the same module was evaluated twice', () => {
    const source = 'class Again { constructor() { this.a = 1 } }'
    const [First, Second] = [evaluate(source), evaluate(source)]
    for (const Class of [First, Second]) {
      adoptClasses([Class])
      register(Class, { name: 'again.Again' })
    }

    expect(travel(new First())).to.be.instanceOf(First)
    expect(travel(new Second())).to.be.instanceOf(First).and.have.property('a', 1)
  })
})

describe('register()', () => {
  it('refuses what is no class of the application, and options that cannot be', () => {
    class Fine {}
    const misspelt: object = { nam: 'x' }
    const noClass = { prototype: {} }
    const fails = (run: () => void): string => coded('OPTION_INVALID', run)

    expect(fails(() => register(Map))).to.contain('takes a class of your own')
    expect(fails(() => register(noClass))).to.contain('takes a class of your own')
    expect(fails(() => register(class {}))).to.contain('needs a name')
    expect(fails(() => register(Fine, { encode: () => 1 }))).to.contain('"Fine" needs both encode and decode, or neither.')
    expect(fails(() => register(Fine, misspelt))).to.contain('Did you mean "name"?')
  })

  it('refuses a second name for one class', () => {
    class Named {}
    register(Named, { name: 'one' })

    expect(coded('OPTION_INVALID', () => register(Named, { name: 'two' }))).to.contain('two names, "one" and "two". Keep one.')
  })
})
