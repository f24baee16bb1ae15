import { expect } from 'chai'
import { randomBytes } from 'node:crypto'
import { generateKey, parseKeyRing } from '#src/core/seal/key-ring.js'
import { Mac } from '#src/core/seal/mac.js'
import { callWith, everyText, messagesWith, refusalOf } from '../kit/sealing.js'

const secret = (): string => randomBytes(32).toString('base64')

describe('The sealing keys', () => {
  it('are random, with a short random id, and in the form in which they are read', () => {
    const text = generateKey()

    expect(text).to.match(/^[0-9a-f]{6}:[A-Za-z0-9+/]{43}=$/)
    expect(parseKeyRing([text]).sealing.id).to.equal(text.slice(0, 6))
    expect(generateKey()).to.not.equal(text)
  })

  it('seal with the first and open with all', () => {
    const ring = parseKeyRing([`new:${secret()}`, `old:${secret()}`])

    expect(ring.sealing.id).to.equal('new')
    expect(ring.find('old')?.id).to.equal('old')
    expect(ring.find('older')).to.equal(undefined)
  })

  it('need base64 of 32 bytes, with or without padding and in either alphabet', () => {
    const bytes = Buffer.alloc(32, 0xfb)

    for (const text of [bytes.toString('base64'), bytes.toString('base64url')]) {
      expect(parseKeyRing([`k:${text}`]).sealing.box.symmetricKeySize).to.equal(32)
    }
  })

  it('are different keys for different purposes and for different secrets', () => {
    const key = parseKeyRing([`k:${secret()}`]).sealing

    expect(key.text.equals(key.box)).to.equal(false)
    const content = Buffer.from('content')
    const seals = [key.mac, new Mac(key.box), new Mac(key.text), parseKeyRing([`k:${secret()}`]).sealing.mac].map((mac) => mac.of(content))
    expect(new Set(seals).size).to.equal(4)
  })

  it('are refused without showing any of them', () => {
    const planted = secret()
    const bad = [planted, `:${planted}`, `an id:${planted}`, `${'a'.repeat(17)}:${planted}`, `k:${planted.slice(1)}`, `k:${planted}x`, `k: ${planted}`]
    const texts = [...bad, `k:${planted.replace(/^./, '!')}`, `k:${planted.slice(0, 20)}`]

    for (const text of texts) {
      const refusal = refusalOf('KEY_INVALID', () => parseKeyRing([`ok:${secret()}`, text]))
      expect(refusal.message).to.include('2 of 2').and.to.include('errand key')
      expect(everyText(refusal)).to.not.include(planted.slice(1, 12))
    }
  })

  it('are refused when two have one id, and when there is none', () => {
    expect(refusalOf('KEY_INVALID', () => parseKeyRing([`k:${secret()}`, `k:${secret()}`])).message).to.include('"k"')
    expect(refusalOf('KEY_MISSING', () => parseKeyRing([])).message).to.include('errand key')
  })
})

describe('A key that is replaced', () => {
  const [old, next] = [generateKey(), generateKey()]
  const sealedWithOld = messagesWith({ keys: parseKeyRing([old]), seal: 'message' }).sealCall(callWith())

  it('still opens what it sealed while it is second in the list', () => {
    const messages = messagesWith({ keys: parseKeyRing([next, old]), seal: 'message' })

    expect(messages.openCall(sealedWithOld).readArguments()).to.deep.equal(['ada@example.org'])
    expect(messages.sealCall(callWith()).toString()).to.include(`errand/1 ${next.slice(0, 6)} `)
  })

  it('opens nothing after it was removed, and the refusal says which key and what to do', () => {
    const refusal = refusalOf('MESSAGE_FORGED', () => messagesWith({ keys: parseKeyRing([next]) }).openCall(sealedWithOld))

    expect(refusal.message).to.include(`"${old.slice(0, 6)}"`).and.to.include('keep the old one in the list')
    expect(refusal.message).to.not.include(old.slice(7))
  })
})
