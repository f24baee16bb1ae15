import { expect } from 'chai'
import { generateKey, parseKeyRing } from '#src/core/seal/key-ring.js'
import { fieldOf, typeNameOf } from '#src/core/codec/undecoded.js'
import { encodeArguments } from '#src/core/codec/encode.js'
import { callWith, contextOf, messagesWith, NOON, refusalOf } from '../kit/sealing.js'

describe('a look at a message', () => {
  const context = contextOf({ user: { id: 7 }, headers: { authorization: 'Bearer x', 'x-a': 'b' } })
  const full = { sentAt: NOON, expiresAt: NOON - 1, context }

  for (const seal of ['secrets', 'context', 'message'] as const) {
    it(`sees who called what, also when it has expired, where it is sealed as "${seal}"`, () => {
      const messages = messagesWith({ seal })

      const seen = messages.seeCall(messages.sealCall(callWith(full)))

      expect(seen).to.deep.include({ refusal: undefined, task: 'Mail.send', sentAt: NOON, expiresAt: NOON - 1, args: ['ada@example.org'] })
      expect(seen.context?.headers).to.deep.equal({ authorization: 'Bearer x', 'x-a': 'b' })
      expect(seen.context?.fields).to.deep.equal({ user: { id: 7 } })
    })
  }

  it('believes nothing of what another key sealed, and what was altered', () => {
    const forged = messagesWith({ keys: parseKeyRing([generateKey()]) }).sealCall(callWith())
    const altered = Buffer.from(messagesWith().sealCall(callWith()).toString().replace('ada@', 'eve@'))

    for (const body of [forged, altered]) {
      const { refusal, ...rest } = messagesWith().seeCall(body)
      expect(refusal?.code).to.equal('MESSAGE_FORGED')
      expect(rest).to.deep.equal({})
    }
  })

  it('sees what is meant for another environment, and that it would be refused', () => {
    const seen = messagesWith().seeCall(messagesWith({ env: 'production' }).sealCall(callWith(full)))

    expect(seen).to.deep.include({ task: 'Mail.send', args: ['ada@example.org'] })
    expect(seen.refusal?.code).to.equal('MESSAGE_MISDIRECTED')
  })

  it('can be renewed: with a later expiry, or none, and otherwise as it was', () => {
    for (const seal of ['secrets', 'message'] as const) {
      const messages = messagesWith({ seal })
      const old = messages.sealCall(callWith({ ...full, args: '[{"b":1,"1":{"$":"num","v":"-0"}},"ü\\u2028"]' }))
      refusalOf('MESSAGE_EXPIRED', () => messages.openCall(old))

      for (const expiresAt of [NOON + 1, undefined]) {
        const call = messages.openCall(messages.renewCall(old, expiresAt))
        expect(call).to.deep.include({ id: 'c0ffee', task: 'Mail.send', sentAt: NOON, expiresAt, context })
        expect(call.readArguments()).to.deep.equal([{ b: 1, 1: -0 }, 'ü\u2028'])
      }
    }
  })

  it('cannot renew what is forged', () => {
    const forged = messagesWith({ keys: parseKeyRing([generateKey()]) }).sealCall(callWith())

    refusalOf('MESSAGE_FORGED', () => messagesWith().renewCall(forged, NOON + 1))
  })

  it('names the types of arguments without their classes', () => {
    class Money {
      constructor(readonly id: number) {}
    }
    const twice = { a: 1 }
    const values = [undefined, null, 1, -0, 'x', true, 1n, new Date(0), new Map(), new Set(), Buffer.from('x'), new URL('http://a.example'), /x/, new RangeError('x'), [], {}, twice, twice]
    const text = encodeArguments(values, 'Cannot send')
    const names = (JSON.parse(text) as unknown[]).map(typeNameOf) // a list, as encoded

    expect(names.slice(0, 16)).to.deep.equal(
      ['undefined', 'null', 'number', 'number', 'string', 'boolean', 'bigint', 'Date', 'Map', 'Set', 'Buffer', 'URL', 'RegExp', 'RangeError', 'Array', 'Object'],
    )
    expect(typeNameOf({ $: 'class', n: 'Money', v: new Money(3) })).to.equal('Money')
    expect(fieldOf({ $: 'id', n: 1, v: { $: 'class', n: 'Money', v: { id: 3 } } }, 'id')).to.equal(3)
    expect(fieldOf({ $: 'date', v: 'x' }, 'id')).to.equal(undefined)
  })
})
