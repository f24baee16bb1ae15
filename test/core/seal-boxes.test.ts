import { expect } from 'chai'
import fc from 'fast-check'
import { Boxes } from '#src/core/seal/boxes.js'
import { generateKey, parseKeyRing } from '#src/core/seal/key-ring.js'
import { Recent } from '#src/core/seal/recent.js'
import { refusalOf, StillClock } from '../kit/sealing.js'

const KEYS = parseKeyRing([generateKey()])
const MINUTE = 60_000

const boxesOf = (app = 'shop', env = 'test', clock = new StillClock()): Boxes => new Boxes(KEYS, { app, env }, clock)

describe('An encrypted part', () => {
  it('gives back any text, and shows none of it', () => {
    const boxes = boxesOf()

    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 5 }), (text) => {
        const box = boxes.seal(text, 'headers')
        expect(boxes.open(box, 'headers')).to.equal(text)
        expect(box).to.match(/^[0-9a-f]{6}\.[A-Za-z0-9_-]+$/)
        expect(Buffer.from(box.slice(7), 'base64url').includes(text)).to.equal(false)
      }),
    )
  })

  it('has a nonce of its own each time', () => {
    const boxes = boxesOf()

    const nonces = new Set(Array.from({ length: 2000 }, () => boxes.seal('same', 'headers').slice(7, 7 + 16)))

    expect(nonces.size).to.equal(2000)
  })

  it('opens for its own service, environment and purpose only', () => {
    const box = boxesOf().seal('token', 'headers')

    refusalOf('MESSAGE_FORGED', () => boxesOf('bank').open(box, 'headers'))
    refusalOf('MESSAGE_FORGED', () => boxesOf('shop', 'production').open(box, 'headers'))
    refusalOf('MESSAGE_FORGED', () => boxesOf().open(box, 'arguments'))
    // no two pairs of names run into the same text
    refusalOf('MESSAGE_FORGED', () => boxesOf('shop","te', 'st').open(boxesOf('shop', 'te","st').seal('token', 'headers'), 'headers'))
  })

  it('is refused when a bit of it is different, or a part missing', () => {
    const boxes = boxesOf()
    const box = boxes.seal('a token', 'headers')
    const bytes = Buffer.from(box.slice(7), 'base64url')

    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const other = Buffer.from(bytes)
      other.writeUInt8(other.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3)
      refusalOf('MESSAGE_FORGED', () => boxes.open(box.slice(0, 7) + other.toString('base64url'), 'headers'))
    }
    for (const part of ['', '.', box.slice(0, 7), box.slice(7), box.slice(0, 30), box.slice(0, -2), `other.${box.slice(7)}`]) {
      refusalOf('MESSAGE_FORGED', () => boxes.open(part, 'headers'))
    }
  })

  it('is made once for the same text as long as it is fresh, five minutes', () => {
    const clock = new StillClock()
    const boxes = boxesOf('shop', 'test', clock)
    const first = boxes.sealAgain('token', 'headers')

    clock.time += 5 * MINUTE - 1
    expect(boxes.sealAgain('token', 'headers')).to.equal(first)
    clock.time += 1
    const later = boxes.sealAgain('token', 'headers')

    expect(later).to.not.equal(first)
    expect(boxes.openAgain(later, 'headers')).to.equal(boxes.openAgain(first, 'headers'))
  })

  it('that was opened for one purpose does not open for another', () => {
    const boxes = boxesOf()
    const box = boxes.sealAgain('token', 'headers')
    boxes.openAgain(box, 'headers')

    refusalOf('MESSAGE_FORGED', () => boxes.openAgain(box, 'context'))
    expect(boxes.sealAgain('token', 'context')).to.not.equal(box)
  })

  it('is not kept when it is long', () => {
    const boxes = boxesOf()
    const text = 'x'.repeat(10_000)

    const [one, two] = [boxes.sealAgain(text, 'context'), boxes.sealAgain(text, 'context')]

    expect(one).to.not.equal(two)
    expect(boxes.openAgain(two, 'context')).to.equal(text)
  })
})

describe('What was made lately', () => {
  it('is bounded: the oldest goes first', () => {
    const recent = new Recent<number>(3, MINUTE, new StillClock())
    let made = 0
    const get = (key: string): number => recent.get(key, () => ++made)

    for (const key of ['a', 'b', 'c', 'd']) get(key)

    expect(recent.size).to.equal(3)
    expect([get('b'), get('d'), get('a')]).to.deep.equal([2, 4, 5])
  })

  it('goes when it is old, also when nobody asks for it again', () => {
    const clock = new StillClock()
    const recent = new Recent<string>(100, MINUTE, clock)
    recent.get('a', () => 'secret')
    recent.get('b', () => 'secret')

    clock.time += MINUTE
    recent.get('c', () => 'secret')

    expect(recent.size).to.equal(1)
  })

  it('does not keep a failure', () => {
    const recent = new Recent<string>(100, MINUTE, new StillClock())
    const fail = (): string => {
      throw new RangeError('no')
    }

    expect(() => recent.get('a', fail)).to.throw(RangeError)
    expect(recent.get('a', () => 'value')).to.equal('value')
  })
})
