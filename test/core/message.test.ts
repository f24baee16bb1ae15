import { expect } from 'chai'
import { carriersInUse, carry } from '#src/core/carrier.js'
import { register } from '#src/core/codec/classes.js'
import { encodeArguments, encodeValue } from '#src/core/codec/encode.js'
import type { Context } from '#src/core/context.js'
import { givenAll, givenOne } from '#src/core/follow-up.js'
import type { Outcome } from '#src/core/message.js'
import { frame } from '#src/core/seal/frame.js'
import { generateKey, parseKeyRing } from '#src/core/seal/key-ring.js'
import { eachScope } from '../kit/temporary.js'
import { callWith, contextOf, everyText, messagesWith, NOON, refusalOf } from '../kit/sealing.js'

const SCOPES = ['secrets', 'context', 'message'] as const
const TOKEN = 'Bearer eyJwbGFudGVk.dG9rZW4.c2lnbmF0dXJl'

const KEYS = parseKeyRing([generateKey()])
const VALID = { v: 1, kind: 'call', id: 'i', task: 'T.t', app: 'shop', env: 'test', at: NOON, args: [] }

const REQUEST = contextOf({
  user: { id: 7, name: 'Zoë 🙂', roles: ['admin'] },
  headers: { Authorization: TOKEN, Cookie: 'sid=planted-cookie', 'accept-language': 'fr' },
  url: 'https://shop.example/orders?page=2',
  method: 'POST',
  requestId: 'r-1',
  clientAddress: '192.0.2.7',
  body: { items: [1, 2] },
  tenant: 'acme',
})

for (const seal of SCOPES) {
  describe(`A message at "seal: ${seal}"`, () => {
    const messages = messagesWith({ seal })
    const scope = eachScope()

    /** Makes a carrier known for one test. */
    const carryHere = (name: string, isPublic: boolean): void => {
      carry({ name, isPublic, capture: () => undefined, restore: (_state, next) => next() })
      scope().defer(() => (carriersInUse() as Map<string, unknown>).delete(name)) // a map that others may only read
    }

    it('brings a call to the worker as it was', () => {
      const call = callWith({ context: REQUEST, expiresAt: NOON + 1000, replyTo: 'reply-1', carriers: { trace: { a: 1 }, empty: null } })

      const opened = messages.openCall(messages.sealCall(call))

      const { readArguments, ...rest } = opened
      const { args, ...expected } = call
      expect(rest).to.deep.equal(expected)
      expect(readArguments()).to.deep.equal(JSON.parse(args))
    })

    it('brings what follows a call, and puts an outcome where its arguments were left open, also after it was renewed', () => {
      const stand = {}
      const args = encodeArguments([{ given: stand }, [new Date(7)]], '', stand)
      const options = { queue: 'slow', delayMs: 5, priority: 9, tags: ['a'] }
      const last = { on: 'ended', id: 'c', task: 'Last', args: '["secret text"]', options, replyTo: 'reply-1', group: { size: 3, isKnown: true }, next: [] } as const
      const next = [{ on: 'completed', id: 'b', task: 'Next', args, options, replyTo: undefined, group: undefined, next: [last] } as const]
      const bytes = messages.sealCall(callWith({ next }))

      const opened = messages.openCall(messages.renewCall(bytes, undefined))
      const followUp = { ...callWith({ args: opened.next?.[0]?.args ?? '' }), copy: 'one' }
      const one = messages.openCall(messages.sealCall({ ...followUp, given: givenOne(encodeValue(new Map([[1, 2n]]), '', '')) }))
      const all = messages.openCall(messages.sealCall({ ...followUp, given: givenAll(['{"$":"undef"}', '1']) }))

      expect(opened.next).to.deep.equal(next)
      expect(one.readArguments()).to.deep.equal([{ given: new Map([[1, 2n]]) }, [new Date(7)]])
      expect(all.readArguments()).to.deep.equal([{ given: [undefined, 1] }, [new Date(7)]])
      expect(one).to.include({ copy: 'one' })
      expect(bytes.includes('secret text')).to.equal(seal !== 'message')
    })

    it('refuses arguments that were left open and got nothing', () => {
      const stand = {}
      const bytes = messages.sealCall(callWith({ args: encodeArguments([stand], '', stand) }))

      expect(refusalOf('VALUE_UNREADABLE', () => messages.openCall(bytes).readArguments()).message).to.include('given')
    })

    it('brings a call from outside any request, without a context', () => {
      const opened = messages.openCall(messages.sealCall(callWith({ args: '[]' })))

      expect(opened).to.include({ context: undefined, carriers: undefined, expiresAt: undefined, replyTo: undefined })
      expect(opened.readArguments()).to.deep.equal([])
    })

    it('never shows a token, in no part of it', () => {
      carryHere('open', true)
      const carriers = { session: { token: TOKEN }, open: { tenant: 'acme' } }

      const bytes = messages.sealCall(callWith({ context: REQUEST, carriers })).toString('latin1')

      for (const secret of [TOKEN, 'eyJwbGFudGVk', 'planted-cookie', Buffer.from(TOKEN).toString('base64').slice(4, 20)]) {
        expect(bytes).to.not.include(secret)
      }
    })

    it('never shows a token in a refusal', () => {
      const bytes = messages.sealCall(callWith({ context: REQUEST, args: JSON.stringify([TOKEN]) }))
      const foreign = messagesWith({ seal, app: 'bank' })
      const small = messagesWith({ seal, payloadLimit: 100 })
      const unfit = contextOf({ ...REQUEST, user: { id: 7, act: () => TOKEN } })

      const refusals = [
        refusalOf('MESSAGE_MISDIRECTED', () => foreign.openCall(bytes)),
        refusalOf('MESSAGE_FORGED', () => messages.openCall(Buffer.concat([bytes, Buffer.from(' ')]))),
        refusalOf('MESSAGE_MALFORMED', () => messages.openOutcome(bytes)),
        refusalOf('PAYLOAD_TOO_LARGE', () => small.sealCall(callWith({ context: REQUEST }))),
        refusalOf('VALUE_UNSERIALIZABLE', () => messages.sealCall(callWith({ context: unfit }))),
        refusalOf('VALUE_UNSERIALIZABLE', () => messages.sealOutcome('1', { kind: 'completed', value: { token: TOKEN, act() {} } })),
      ]

      for (const refusal of refusals) expect(everyText(refusal)).to.not.include('eyJwbGFudGVk')
    })

    it('encrypts the context and carriers from "context" on, arguments and outcomes from "message" on (item 147)', () => {
      carryHere('open', true)

      const call = messages.sealCall(callWith({ context: REQUEST, carriers: { open: { tenant: 'acme' } } })).toString()
      const outcome = messages.sealOutcome('1', { kind: 'completed', value: 'the value' }).toString()

      expect(call.includes('"accept-language":"fr"'), 'context in clear').to.equal(seal === 'secrets')
      expect(call.includes('{"open":{"tenant":"acme"}}'), 'carrier in clear').to.equal(seal === 'secrets')
      expect(call.includes('ada@example.org'), 'arguments in clear').to.equal(seal !== 'message')
      expect(outcome.includes('the value'), 'outcome in clear').to.equal(seal !== 'message')
    })

    it('brings values, absent values and errors back to the caller', () => {
      const bring = (outcome: Outcome): Outcome => messages.openOutcome(messages.sealOutcome('id-1', outcome)).outcome

      expect(bring({ kind: 'completed', value: { total: 3 } })).to.deep.equal({ kind: 'completed', value: { total: 3 } })
      expect(bring({ kind: 'completed', value: undefined })).to.deep.equal({ kind: 'completed', value: undefined })
      const failed = bring({ kind: 'failed', error: new Error('no paper') })
      expect(failed.kind === 'failed' && failed.error instanceof Error && failed.error.message).to.equal('no paper')
    })

    it('is read whatever "seal" the reader has', () => {
      const bytes = messages.sealCall(callWith({ context: REQUEST, carriers: { a: 1 } }))

      for (const other of SCOPES) {
        const opened = messagesWith({ seal: other }).openCall(bytes)
        expect(opened.context).to.deep.equal(REQUEST)
        expect(opened.carriers).to.deep.equal({ a: 1 })
        expect(opened.readArguments()).to.deep.equal(['ada@example.org'])
      }
    })
  })
}

describe('A message', () => {
  const messages = messagesWith()

  it('is one readable line of JSON after a line with version, key and seal', () => {
    const [line, envelope, ...more] = messages.sealCall(callWith({ context: REQUEST })).toString().split('\n')

    expect(line).to.match(/^errand\/1 [0-9a-f]{6} [A-Za-z0-9_-]{43}$/)
    expect(JSON.parse(envelope ?? '')).to.deep.include({ v: 1, kind: 'call', id: 'c0ffee', task: 'Mail.send', app: 'shop', env: 'test', at: NOON })
    expect(more).to.deep.equal([])
  })

  it('gives each task a context of its own, which no other can change', () => {
    const bytes = messages.sealCall(callWith({ context: REQUEST, carriers: { a: { b: 1 } } }))

    const [one, two] = [messages.openCall(bytes), messages.openCall(bytes)]
    Object.assign(one.context?.user ?? {}, { id: 'changed' })
    Object.assign(one.carriers?.['a'] ?? {}, { b: 'changed' })

    expect(two.context).to.deep.equal(REQUEST)
    expect(two.carriers).to.deep.equal({ a: { b: 1 } })
    expect(Object.isFrozen(two.context)).to.equal(true)
  })

  it('gives the same arguments however often they are asked for', () => {
    // data that looks like a tag once it is decoded
    const args = [undefined, { $: 'undef' }, new Date(NOON)]
    const opened = messages.openCall(messages.sealCall(callWith({ args: encodeArguments(args, '') })))

    for (const _time of [1, 2]) expect(opened.readArguments()).to.deep.equal(args)
  })

  it('brings a user of a registered class back as an instance, and refuses one of an unknown class', () => {
    class Customer {
      readonly name: string
      constructor(name: string) {
        this.name = name
      }
      greet(): string {
        return `Hello ${this.name}`
      }
    }
    const call = callWith({ context: contextOf({ user: new Customer('Ada'), since: new Date(NOON) }) })
    expect(refusalOf('VALUE_UNSERIALIZABLE', () => messages.sealCall(call)).message).to.include('user').and.to.include('Customer')

    register(Customer)
    const { user, since } = messages.openCall(messages.sealCall(call)).context as unknown as { user: Customer; since: Date } // what went in

    expect(user).to.be.instanceOf(Customer)
    expect(user.greet()).to.equal('Hello Ada')
    expect(since).to.deep.equal(new Date(NOON))
  })

  it('fails to restore a context with a class that this process does not know', () => {
    const bytes = frame(
      JSON.stringify({ ...VALID, ctx: { headers: {}, user: { $: 'class', c: 'Nobody', v: {} } } }),
      KEYS.sealing,
    )

    expect(refusalOf('CONTEXT_UNRESTORABLE', () => messagesWith({ keys: KEYS }).openCall(bytes)).cause).to.have.property('code', 'VALUE_UNREADABLE')
  })

  it('encrypts the secrets of a user once for all calls of five minutes', () => {
    const boxOf = (bytes: Buffer): string | undefined => /"sec":"([^"]+)"/.exec(bytes.toString())?.[1]
    const again = contextOf({ ...REQUEST, url: '/other' })

    const boxes = [REQUEST, REQUEST, again].map((context) => boxOf(messages.sealCall(callWith({ context }))))

    expect(boxes[0]).to.be.a('string')
    expect(new Set(boxes).size).to.equal(1)
  })

  it('writes the context of a request once for all its calls, and again for the next request', () => {
    let reads = 0
    const user = {
      get id() {
        return ++reads
      },
    }
    const seal = (context: Context): unknown => messages.openCall(messages.sealCall(callWith({ context }))).context?.user
    const [one, other] = [contextOf({ user }), contextOf({ user })]

    const first = seal(one)

    expect(seal(one)).to.deep.equal(first)
    expect(seal(other)).to.not.deep.equal(first)
  })

  it('over the limit is refused with its size, the limit, the task and a way out', () => {
    const small = messagesWith({ payloadLimit: 500 })
    const exact = small.sealCall(callWith({ args: '[""]' })).length
    const fill = (more: number): string => JSON.stringify(['x'.repeat(500 - exact + more)])

    expect(small.sealCall(callWith({ args: fill(0) })).length).to.equal(500)
    const refusal = refusalOf('PAYLOAD_TOO_LARGE', () => small.sealCall(callWith({ args: fill(1) })))
    expect(refusal.message).to.include('Cannot send Mail.send').and.to.include('501').and.to.include('500').and.to.include('reference')
    refusalOf('PAYLOAD_TOO_LARGE', () => small.sealOutcome('1', { kind: 'completed', value: 'x'.repeat(500) }))
  })

  it('counts bytes, not characters', () => {
    refusalOf('PAYLOAD_TOO_LARGE', () => messagesWith({ payloadLimit: 500 }).sealCall(callWith({ args: JSON.stringify(['€'.repeat(150)]) })))
  })

  it('is not sent with a context that cannot travel; the refusal names the task and the field', () => {
    const withField = contextOf({ user: { id: 1, socket: () => {} } })
    const withHeader = contextOf({ headers: { 'x-list': ['a', 'b'] } })

    const refusal = refusalOf('VALUE_UNSERIALIZABLE', () => messages.sealCall(callWith({ context: withField })))
    expect(refusal.message).to.include('Cannot send Mail.send').and.to.include('socket')
    expect(refusalOf('VALUE_UNSERIALIZABLE', () => messages.sealCall(callWith({ context: withHeader }))).message).to.include('x-list')
  })

  it('keeps a carrier and a field of any name, and lets nothing reach a prototype', () => {
    const carriers = Object.fromEntries([['__proto__', { polluted: 1 }], ['$', { b: 2 }]])

    const opened = messages.openCall(messages.sealCall(callWith({ carriers, args: '[{"__proto__":{"polluted":1}}]' })))

    expect(Object.keys(opened.carriers ?? {})).to.have.members(['__proto__', '$'])
    expect(Object.getPrototypeOf(opened.carriers)).to.equal(Object.prototype)
    expect(Reflect.get(opened.carriers ?? {}, 'polluted')).to.equal(undefined)
    // whether they were asked for before or not
    for (const _time of [1, 2]) refusalOf('VALUE_UNREADABLE', opened.readArguments)
  })
})
