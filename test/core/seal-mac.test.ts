import { expect } from 'chai'
import fc from 'fast-check'
import { createHmac, createSecretKey } from 'node:crypto'
import { Mac } from '#src/core/seal/mac.js'

const LARGEST_BY_HAND = 16 * 1024

describe('The seal of a message', () => {
  const key = fc.uint8Array({ minLength: 32, maxLength: 32 })
  const standard = (bytes: Uint8Array, content: Uint8Array): string => createHmac('sha256', bytes).update(content).digest('base64url')

  it('is HMAC-SHA-256 of its content, as the platform makes it', () => {
    fc.assert(
      fc.property(key, fc.uint8Array({ maxLength: 500 }), (bytes, content) => {
        expect(new Mac(createSecretKey(bytes)).of(content)).to.equal(standard(bytes, content))
      }),
    )
  })

  it('of a text is that of its bytes, which come with it', () => {
    fc.assert(
      fc.property(key, fc.string({ unit: 'binary', maxLength: 500 }), (bytes, text) => {
        const content = Buffer.from(text)
        const { seal, bytes: given } = new Mac(createSecretKey(bytes)).ofText(text)
        expect(Buffer.from(given).equals(content)).to.equal(true)
        expect(seal).to.equal(standard(bytes, content))
      }),
    )
  })

  it('is the same around the size from which on the platform makes it', () => {
    const bytes = Buffer.alloc(32, 7)
    const mac = new Mac(createSecretKey(bytes))
    for (const size of [LARGEST_BY_HAND / 3, LARGEST_BY_HAND].flatMap((edge) => [Math.floor(edge) - 1, Math.floor(edge), Math.floor(edge) + 1, Math.floor(edge) + 2])) {
      // three bytes for each unit, the most that there are
      const text = '€'.repeat(size)
      const content = Buffer.alloc(size, 'x')
      expect(mac.of(content), String(size)).to.equal(standard(bytes, content))
      expect(mac.ofText(text).seal, String(size)).to.equal(standard(bytes, Buffer.from(text)))
    }
  })

  it('of one content does not depend on what was sealed before', () => {
    const [one, two] = [new Mac(createSecretKey(Buffer.alloc(32, 1))), new Mac(createSecretKey(Buffer.alloc(32, 2)))]
    const content = Buffer.from('short')
    const seal = one.of(content)
    two.of(Buffer.alloc(9_000, 'long'))
    one.ofText('something else, and longer')
    expect(one.of(content)).to.equal(seal)
  })
})
