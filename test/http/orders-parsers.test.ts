import { expect } from 'chai'
import { property, assert, string, integer, array, constantFrom, stringMatching, oneof } from 'fast-check'
import { ErrandError } from 'errand'
import { entityTag, isKnownTo } from '#src/http/orders/entity-tag.js'
import { readIdempotencyKey } from '#src/http/orders/idempotency-key.js'
import { readPrefer } from '#src/http/orders/prefer.js'
import { absoluteResourceUrl } from '#src/orders/what-is-told.js'

const JUNK = oneof(string({ unit: 'binary', maxLength: 60 }), array(constantFrom(...'"\\,;= wait=12respond-async*/W:h/t\t'), { maxLength: 40 }).map((parts) => parts.join('')))

describe('What headers of orders say', () => {
  it('a preference is found among others, in any case of letters, and the first one counts', () => {
    const wait = (header: string): number | undefined => readPrefer(header).waitSeconds
    expect(readPrefer(null)).to.deep.equal({ isAsync: false, waitSeconds: undefined, isRedirected: false })
    expect(readPrefer('respond-async, WAIT=10, redirect')).to.deep.equal({ isAsync: true, waitSeconds: 10, isRedirected: true })
    expect(readPrefer('handling=lenient; foo="wait=3, respond-async", Wait = "7"; x=1, wait=9')).to.include({ waitSeconds: 7, isAsync: false })
    expect([wait('wait'), wait('wait='), wait('wait=-1'), wait('wait=1.5'), wait('wait=1e3'), wait('wait=99999999999'), wait('wait=0')]).to.deep.equal([
      undefined,
      undefined,
      undefined,
      undefined,
      undefined,
      undefined,
      0,
    ])
    expect(readPrefer('respond-async=no').isAsync).to.equal(false)
  })

  it('no Prefer can break its reader, nor make it wait for anything but whole seconds', () => {
    assert(
      property(JUNK, (header) => {
        const { waitSeconds } = readPrefer(header)
        expect(waitSeconds === undefined || (Number.isInteger(waitSeconds) && waitSeconds >= 0 && waitSeconds < 1e9)).to.equal(true)
      }),
    )
    assert(property(integer({ min: 0, max: 999_999_999 }), stringMatching(/^[a-z]{1,8}$/), (seconds, other) => readPrefer(`x-${other}=1, wait=${seconds}`).waitSeconds === seconds))
  })

  it('a quoted Idempotency-Key is what was quoted, and junk is refused and nothing else thrown', () => {
    expect(readIdempotencyKey(null)).to.equal(undefined)
    expect(readIdempotencyKey('"8e03 \\"978e\\\\"')).to.equal('8e03 "978e\\')
    expect(readIdempotencyKey('8e03978e')).to.equal('8e03978e')
    assert(
      property(stringMatching(/^[ -~]{1,255}$/), (key) => readIdempotencyKey(`"${key.replace(/["\\]/g, '\\$&')}"`) === key),
    )
    assert(
      property(JUNK, (header) => {
        try {
          const key = readIdempotencyKey(header)
          expect(key).to.match(/^[ -~]{1,255}$/)
        } catch (error) {
          expect(error).to.be.instanceOf(ErrandError)
        }
      }),
    )
  })

  it('a tag is known where it is in the list, and no junk is taken for it', () => {
    const tag = entityTag('{}')
    expect(tag).to.match(/^"[\w-]{27}"$/)
    assert(property(JUNK, (header) => header.trim() === '*' || !isKnownTo(header, tag)))
    assert(
      property(array(stringMatching(/^[a-z]{0,9}$/)), array(stringMatching(/^[a-z]{0,9}$/)), (before, after) =>
        isKnownTo([...before.map((text) => `W/"${text}"`), tag, ...after.map((text) => `"${text}"`)].join(', '), tag),
      ),
    )
  })

  it('no stored address becomes one that is neither http nor of the host that was asked', () => {
    assert(
      property(oneof(string({ unit: 'binary' }), JUNK.map((text) => `/${text}`), JUNK.map((text) => `http${text}`)), (stored) => {
        const url = absoluteResourceUrl(stored, 'https://shop.example')
        expect(url === '' || /^https?:\/\//i.test(url)).to.equal(true)
        if (stored.startsWith('/')) expect(url === '' || url.startsWith('https://shop.example/')).to.equal(true)
      }),
    )
  })
})
