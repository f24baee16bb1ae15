import 'reflect-metadata'
import { expect } from 'chai'
import { Exclude, Expose, Transform, Type } from 'class-transformer'
import { ErrandError } from '#src/errors.js'
import { adoptClasses } from '#src/core/codec/classes.js'
import { decodeValue } from '#src/core/codec/decode.js'
import { encodeValue } from '#src/core/codec/encode.js'

const write = (value: unknown): string => encodeValue(value, 'Cannot send A.b', 'it')
const travel = <T>(value: T): T => decodeValue(write(value)) as T

class LineItem {
  sku = 'x'
  at = new Date(0)
}

class Parcel {
  weight = 1
}

class Letter {
  pages = 2
}

const KIND = { property: 'kind', subTypes: [{ name: 'parcel', value: Parcel }, { name: 'letter', value: Letter }] }

class Order {
  @Type(() => LineItem)
  items = [new LineItem()]

  @Type(() => Object, { discriminator: KIND })
  shipment: Parcel | Letter = new Letter()

  @Type()
  first = new LineItem()
}

class Account {
  id = 7
  @Exclude() password = 's3cret'
  @Expose({ name: 'mail' }) email = 'ada@example.org'
  tags = new Set(['a'])
  site = new URL('https://example.org/')
  items = [new LineItem()]
  limits = new Map([['x', 5n]])
}

@Exclude()
class Closed {
  @Expose() shown = new Set([1])
  hidden = 's3cret'
}

class Address {
  city = 'London'
}

class Price {
  @Transform(({ value }) => Number(value), { toClassOnly: true })
  @Transform(({ value }) => String(value), { toPlainOnly: true })
  amount = 5

  address = new Address()

  @Expose()
  @Transform(({ obj }: { obj: Price }) => `${obj.address.city}!`)
  place = ''

  @Type(() => Date)
  @Transform(({ value }: { value: Date }) => value.getTime(), { toPlainOnly: true })
  since = new Date(86_400_000)

  flag = 'false'
}

class Child extends Account {
  extra = 1
}

class Node {
  @Exclude() secret = 1
  children: object[] = []
}

class NeedsArguments {
  @Exclude() secret = 1
  readonly name: string
  constructor(options: { name: string }) {
    this.name = options.name
  }
}

adoptClasses([Order, Account, Closed, Price, Child, Node, NeedsArguments, Address])

describe('classes decorated for class-transformer', () => {
  it('with @Type alone bring the classes of their fields along, also those of a discriminator', () => {
    const order = new Order()
    order.shipment = new Parcel()

    const back = travel(order)

    expect(back).to.be.instanceOf(Order).and.deep.equal(order)
    expect(back.items[0]).to.be.instanceOf(LineItem)
    expect(back.first).to.be.instanceOf(LineItem)
    expect(back.shipment).to.be.instanceOf(Parcel)
    expect(order.shipment).to.not.have.property('kind')
  })

  it('with @Exclude keep the excluded field out of the message', () => {
    const text = write([new Account(), new Closed()])

    expect(text).to.not.contain('s3cret')
    expect(text).to.contain('"mail":"ada@example.org"').and.not.contain('"email"')
  })

  it('with @Exclude and @Expose come back as instances whose other fields are what they were', () => {
    const account = new Account()
    account.id = 8
    account.email = 'bob@example.org'

    const back = travel(account)

    expect(back).to.be.instanceOf(Account)
    expect([back.id, back.email]).to.deep.equal([8, 'bob@example.org'])
    expect(back.tags).to.deep.equal(new Set(['a']))
    expect(back.site).to.deep.equal(new URL('https://example.org/'))
    expect(back.items[0]).to.be.instanceOf(LineItem).with.deep.property('at', new Date(0))
    expect(back.limits).to.deep.equal(new Map([['x', 5n]]))
    expect(travel(new Closed()).shown).to.deep.equal(new Set([1]))
  })

  it('with @Transform see their whole object, and what they make of a field travels', () => {
    const price = new Price()
    price.amount = 12
    price.address.city = 'Paris'

    const text = write(price)
    const back = decodeValue(text) as Price

    expect(text).to.contain('"amount":"12"').and.contain('"place":"Paris!"')
    expect(back).to.be.instanceOf(Price)
    expect([back.amount, back.place, back.since, back.flag]).to.deep.equal([12, 'Paris!', new Date(86_400_000), 'false'])
    expect(back.address).to.be.instanceOf(Address).with.property('city', 'Paris')
  })

  it('pass their decorators on to subclasses', () => {
    const text = write(new Child())

    expect(text).to.contain('"n":"Child"').and.not.contain('s3cret')
    expect(decodeValue(text)).to.be.instanceOf(Child).with.property('extra', 1)
  })

  it('may share objects with the rest of the message', () => {
    const node = new Node()
    const shared = { a: 1 }
    node.children.push(shared, [shared])

    const [back, other] = travel([node, shared] as const)

    expect(back.children[0]).to.equal(other)
    expect((back.children[1] as object[])[0]).to.equal(other)
  })

  it('refuse a field that cannot travel with its path, without calling functions they find', () => {
    const node = new Node()
    let calls = 0
    Object.assign(node, { run: () => calls++ })

    expect(() => write({ node })).to.throw(ErrandError, 'Cannot send A.b: it at "node.run" is a function')
    expect(calls).to.equal(0)
  })

  it('refuse a cycle through themselves, because they are made after their fields', () => {
    const node = new Node()
    node.children.push({ parent: node })

    const problem = 'it at "children[0].parent" refers back to an object that is made from it'
    expect(() => write(node)).to.throw(ErrandError, problem).with.property('code', 'VALUE_UNSERIALIZABLE')
  })

  it('whose constructor cannot do without arguments are unreadable, with the reason as the cause', () => {
    const text = write(new NeedsArguments({ name: 'x' }))

    const problem = 'no instance of NeedsArguments can be made'
    expect(() => decodeValue(text)).to.throw(ErrandError, problem).with.property('cause').instanceOf(TypeError)
  })

  it('take nothing from a forged message that decorators keep out', () => {
    const forged = '{"$":"class","n":"Account","v":{"id":1,"password":"forged","constructor":{"prototype":{"isAdmin":true}}}}'

    const back = decodeValue(forged) as Account
    const closed = decodeValue('{"$":"class","n":"Closed","v":{"hidden":{"is":"forged"},"other":[1]}}') as Closed

    expect([closed.hidden, Object.hasOwn(closed, 'other')]).to.deep.equal(['s3cret', false])
    expect(back.password).to.equal('s3cret')
    expect(back.constructor).to.equal(Account)
    expect({}).to.not.have.property('isAdmin')
  })
})
