import { expect } from 'chai'
import { ErrandError } from '#src/errors.js'
import fc from 'fast-check'
import { frame } from '#src/core/seal/frame.js'
import { Boxes } from '#src/core/seal/boxes.js'
import { generateKey, parseKeyRing } from '#src/core/seal/key-ring.js'
import { callWith, contextOf, messagesWith, NOON, refusalOf, StillClock } from '../kit/sealing.js'

const KEY = generateKey()
const KEYS = parseKeyRing([KEY])
const CALL = callWith({
  context: contextOf({ user: { id: 7 }, headers: { authorization: 'Bearer token' } }),
  carriers: { tenant: { name: 'acme' } },
  expiresAt: NOON + 1000,
})

for (const seal of ['secrets', 'context', 'message'] as const) {
  describe(`A message at "seal: ${seal}" that was tampered with`, () => {
    const messages = messagesWith({ keys: KEYS, seal })
    const bytes = messages.sealCall(CALL)

    /** The code of the refusal; `undefined` when it was let in. */
    const codeOf = (body: Buffer): string | undefined => {
      try {
        messages.openCall(body)
        return undefined
      } catch (error) {
        return error instanceof ErrandError ? error.code : 'not an error of the library'
      }
    }

    it('is refused when any single byte is another one', () => {
      const change = fc.tuple(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }))

      fc.assert(
        fc.property(change, ([position, mask]) => {
          const other = Buffer.from(bytes)
          other.writeUInt8(other.readUInt8(position) ^ mask, position)
          expect(codeOf(other)).to.be.oneOf(['MESSAGE_FORGED', 'MESSAGE_MALFORMED', 'MESSAGE_TOO_NEW'])
        }),
        { numRuns: 500 },
      )
    })

    it('is refused when any bit of its first line, or a byte anywhere, is flipped', () => {
      for (let position = 0; position < bytes.length; position++) {
        const masks = position < 70 ? [1, 2, 4, 8, 16, 32, 64, 128] : [1]
        for (const mask of masks) {
          const other = Buffer.from(bytes)
          other.writeUInt8(other.readUInt8(position) ^ mask, position)
          expect(codeOf(other), `byte ${position}`).to.be.oneOf(['MESSAGE_FORGED', 'MESSAGE_MALFORMED', 'MESSAGE_TOO_NEW'])
        }
      }
    })

    it('is refused when it is cut off anywhere, or something is added', () => {
      for (let length = 0; length < bytes.length; length++) {
        expect(codeOf(bytes.subarray(0, length)), `${length} bytes`).to.be.oneOf(['MESSAGE_FORGED', 'MESSAGE_MALFORMED'])
      }
      expect(codeOf(Buffer.concat([bytes, Buffer.from('\n')]))).to.equal('MESSAGE_FORGED')
      expect(codeOf(Buffer.concat([Buffer.from('\n'), bytes]))).to.equal('MESSAGE_MALFORMED')
    })

    it('is refused when its seal is spelt differently though it decodes to the same bytes', () => {
      const text = bytes.toString('latin1')
      const end = text.indexOf('\n')
      const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
      const sibling = alphabet[alphabet.indexOf(text[end - 1] ?? '') ^ 1] ?? ''

      const other = Buffer.from(`${text.slice(0, end - 1)}${sibling}${text.slice(end)}`, 'latin1')

      expect(codeOf(other)).to.equal('MESSAGE_FORGED')
    })
  })
}

describe('A message is refused', () => {
  const messages = messagesWith({ keys: KEYS })
  /** Bytes with a right seal around any text. */
  const sealed = (envelope: string | object): Buffer => frame(typeof envelope === 'string' ? envelope : JSON.stringify(envelope), KEYS.sealing)
  const valid = { v: 1, kind: 'call', id: 'i', task: 'T.t', app: 'shop', env: 'test', at: NOON, args: [] }

  it('when it is not of the form at all', () => {
    const bodies = ['', '\n', 'hello', '{"id":1}', 'errand/1', 'errand/1 k\n{}', 'errand/0 k x\n{}', `errand/1 ${'k'.repeat(17)} ${'A'.repeat(43)}\n{}`]
    const more = [`errand/1 k ${'A'.repeat(42)}\n{}`, `errand/1 k\u00e9 ${'A'.repeat(43)}\n{}`, `errand/1 k ${'A'.repeat(43)}\r\n{}`, 'x'.repeat(10_000)]

    for (const body of [...bodies, ...more]) {
      expect(refusalOf('MESSAGE_MALFORMED', () => messages.openCall(Buffer.from(body))).message).to.include('queue of its own')
    }
  })

  it('before anything of it is parsed, when its seal is wrong', () => {
    const wrong = frame('this is no JSON', parseKeyRing([`${KEY.slice(0, 6)}:${generateKey().slice(7)}`]).sealing)

    const refusal = refusalOf('MESSAGE_FORGED', () => messages.openCall(wrong))

    expect(refusal.message).to.include(KEY.slice(0, 6)).and.to.include('altered')
  })

  it('when a newer version wrote it, with both versions and what to do', () => {
    for (const line of ['errand/2 k whatever comes', 'errand/2\nnew', `errand/2 k ${'A'.repeat(43)}`]) {
      const refusal = refusalOf('MESSAGE_TOO_NEW', () => messages.openCall(Buffer.from(`${line}\n{}`)))
      expect(refusal.message).to.match(/version 2\b.*reads 1\b.*Update the workers/)
    }
    refusalOf('MESSAGE_TOO_NEW', () => messages.openCall(sealed({ ...valid, v: 2 })))
  })

  it('when it was sealed for another service or environment', () => {
    const bytes = messages.sealCall(CALL)

    const refusal = refusalOf('MESSAGE_MISDIRECTED', () => messagesWith({ keys: KEYS, env: 'production' }).openCall(bytes))
    expect(refusal.message).to.include('shop in test').and.to.include('shop in production')
    refusalOf('MESSAGE_MISDIRECTED', () => messagesWith({ keys: KEYS, app: 'bank' }).openCall(bytes))
    refusalOf('MESSAGE_MISDIRECTED', () => messagesWith({ keys: KEYS, app: 'bank' }).openOutcome(messages.sealOutcome('1', { kind: 'completed', value: 1 })))
  })

  it('when it expired, and not a millisecond before', () => {
    const clock = new StillClock()
    const late = messagesWith({ keys: KEYS, clock })
    const bytes = messages.sealCall(callWith({ expiresAt: NOON + 1000 }))

    clock.time = NOON + 1000
    expect(late.openCall(bytes).expiresAt).to.equal(NOON + 1000)
    clock.time += 1
    const refusal = refusalOf('MESSAGE_EXPIRED', () => late.openCall(bytes))

    expect(refusal.message).to.include('Mail.send').and.to.include('2030-01-01T12:00:01.000Z')
  })

  it('when it is a reply where a call is due, or the reverse', () => {
    const reply = messages.sealOutcome('1', { kind: 'completed', value: [] })

    refusalOf('MESSAGE_MALFORMED', () => messages.openCall(reply))
    refusalOf('MESSAGE_MALFORMED', () => messages.openOutcome(messages.sealCall(CALL)))
  })

  it('when a field of a call has another type or is missing', () => {
    const wrong: Record<string, unknown> = {
      v: [undefined, 0, '1', -1, 0.5],
      kind: [undefined, 'reply', 1],
      id: [undefined, 1, '', 'x'.repeat(256), null],
      task: [undefined, 1, '', 'x'.repeat(256), {}],
      app: [undefined, 1],
      env: [undefined, 1],
      at: [undefined, '1', -1, 1.5, 1e300, null],
      exp: ['1', -1, 1.5, null],
      reply: [1, '', 'x'.repeat(256), null],
      args: [undefined, {}, 1, null],
      car: [[], 1, null, 'x'],
      box: [1, {}],
    }

    expect(messages.openCall(sealed(valid)).id).to.equal('i')
    for (const [field, values] of Object.entries(wrong)) {
      for (const value of values as unknown[]) {
        refusalOf('MESSAGE_MALFORMED', () => messages.openCall(sealed({ ...valid, [field]: value })))
      }
    }
    for (const text of ['', '[]', 'null', '1', '{', '{"v":1}x']) refusalOf('MESSAGE_MALFORMED', () => messages.openCall(sealed(text)))
  })

  it('when a reply has no outcome, or two', () => {
    const reply = { ...valid, kind: 'reply' }

    refusalOf('MESSAGE_MALFORMED', () => messages.openOutcome(sealed(reply)))
    refusalOf('MESSAGE_MALFORMED', () => messages.openOutcome(sealed({ ...reply, ok: 1, err: 1 })))
    expect(messages.openOutcome(sealed({ ...reply, ok: null })).outcome).to.deep.equal({ kind: 'completed', value: null })
  })

  it('when its context is none', () => {
    for (const ctx of [1, [], null, {}, { headers: [] }, { headers: { a: 1 } }]) {
      refusalOf('CONTEXT_UNRESTORABLE', () => messages.openCall(sealed({ ...valid, ctx })))
    }
    refusalOf('CONTEXT_UNRESTORABLE', () => messages.openCall(sealed({ ...valid, ctx: { headers: {} }, sec: 1 })))
  })

  it('when an encrypted part was made for something else', () => {
    const boxes = new Boxes(KEYS, { app: 'shop', env: 'test' }, new StillClock())
    const box = boxes.seal('[]', 'outcome')
    const ctx = { headers: {} }

    for (const part of [{ args: box }, { ctx: box }, { ctx, sec: box }, { box }]) {
      refusalOf('MESSAGE_FORGED', () => messages.openCall(sealed({ ...valid, ...part })))
    }
    refusalOf('MESSAGE_MALFORMED', () => messages.openCall(sealed({ ...valid, args: boxes.seal('{}', 'arguments') })))
    refusalOf('MESSAGE_MALFORMED', () => messages.openCall(sealed({ ...valid, args: boxes.seal('no JSON', 'arguments') })))
  })
})
