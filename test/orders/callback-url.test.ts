import { expect } from 'chai'
import { assert, constantFrom, oneof, property, string, webUrl } from 'fast-check'
import { ErrandError } from 'errand'
import { callbackUrl, type CallbackRules } from '#src/orders/callback/callback-url.js'

const ANY: CallbackRules = { hosts: ['*:*'], allowPrivate: false }
const only = (...hosts: string[]): CallbackRules => ({ hosts, allowPrivate: false })

function refusal(given: unknown, rules: CallbackRules = ANY): string {
  try {
    return `accepted ${callbackUrl(given, rules).href}`
  } catch (error) {
    if (error instanceof ErrandError && error.code === 'CALLBACK_REFUSED') return error.message
    throw error
  }
}

describe('the URL of a callback', () => {
  it('is taken when its host is named, as it will be called', () => {
    expect(callbackUrl('https://Example.org/done?token=a%20b#there', only('example.org')).href).to.equal('https://example.org/done?token=a%20b')
    expect(callbackUrl('https://example.org./done', only('example.org')).href).to.equal('https://example.org/done')
    expect(callbackUrl('https://bücher.example/', only('xn--bcher-kva.example')).host).to.equal('xn--bcher-kva.example')
  })

  it('is refused as long as no host is named, with the key that names some', () => {
    expect(refusal('https://example.org/', only())).to.contain('callbacks.hosts')
  })

  it('has a host that a pattern names: itself, those below it, or any', () => {
    expect(refusal('https://a.example.org/', only('*.example.org'))).to.match(/^accepted/)
    expect(refusal('https://a.b.example.org/', only('*.example.org'))).to.match(/^accepted/)
    expect(refusal('https://anything.example/', only('*'))).to.match(/^accepted/)
    for (const host of ['example.org', 'badexample.org', 'example.org.evil.example', 'a.example.org.evil.example']) {
      expect(refusal(`https://${host}/`, only('*.example.org')), host).to.contain('none of those')
    }
    expect(refusal('https://a.example.org/', only('example.org'))).to.contain('none of those')
  })

  it('has the port of its protocol, or one that a pattern names', () => {
    expect(refusal('https://example.org:443/', only('example.org'))).to.match(/^accepted/)
    expect(refusal('https://example.org:8443/', only('example.org'))).to.contain('none of those')
    expect(refusal('https://example.org:8443/', only('example.org:8443'))).to.match(/^accepted/)
    expect(refusal('https://example.org/', only('example.org:8443'))).to.contain('none of those')
    expect(refusal('https://example.org:25/', only('*:*'))).to.match(/^accepted/)
  })

  it('is https, and http only where private addresses are allowed', () => {
    expect(refusal('http://example.org/')).to.contain('only https')
    expect(refusal('http://example.org/', { ...ANY, allowPrivate: true })).to.match(/^accepted/)
    for (const url of ['ftp://example.org/', 'file:///etc/passwd', 'javascript:alert(1)', 'data:,x', 'gopher://example.org/', 'unix:/run/docker.sock']) {
      expect(refusal(url, { ...ANY, allowPrivate: true }), url).to.contain('only https')
    }
  })

  it('leads to no private address, however that is written', () => {
    const hosts = [
      '127.0.0.1', '127.1', '2130706433', '0x7f000001', '0x7f.0.0.1', '0177.0.0.1', '017700000001', '127.0.0.1.', '１２７.0.0.1', '127。0。0。1', '0', '[::1]', '[::ffff:127.0.0.1]',
      '[::ffff:7f00:1]', '[64:ff9b::127.0.0.1]', '[fe80::1]', '[fd00:ec2::254]', '169.254.169.254', '2852039166', '0xA9FEA9FE', '10.0.0.1', '[::]', '%31%32%37.0.0.1',
    ]
    expect(hosts.map((host) => refusal(`https://${host}/`)).filter((message) => !message.includes('private network'))).to.deep.equal([])
  })

  it('holds no user and no password, whatever host they pretend', () => {
    expect(refusal('https://user:hunter2@example.org/')).to.contain('user or a password').and.not.contain('hunter2')
    expect(refusal('https://example.org@evil.example/', only('example.org'))).to.contain('user or a password')
  })

  it('is one text that parsers read the same way', () => {
    const odd = ['https://example.org\\@evil.example/', 'https://exam\nple.org/', ' https://example.org/', 'https://example.org/\t', 'https://', '//example.org/', 'example.org', '']
    expect(odd.map((url) => refusal(url)).filter((message) => !message.includes('it is no URL'))).to.deep.equal([])
    for (const given of [undefined, null, 7, {}, ['https://example.org/'], new URL('https://example.org/'), `https://example.org/${'a'.repeat(2048)}`]) {
      expect(refusal(given)).to.contain('a text of at most 2048 characters')
    }
  })

  it('never shows its path and query in a refusal', () => {
    const urls = webUrl({ withQueryParameters: true, withFragments: true }).map((url) => url.replace(/^http:/, 'https:'))
    assert(
      property(urls, (url) => {
        const { pathname, search } = new URL(url)
        const message = refusal(url, only('nowhere.example'))
        return [pathname, search].every((part) => part.length < 8 || !message.includes(part))
      }),
    )
  })

  it('is taken or refused with the one code, whatever is given', () => {
    const part = oneof(string(), constantFrom('https://', '@', ':', '/', '[', ']', '%', '..', '127.0.0.1', '\u0000', 'xn--'))
    assert(property(part, part, part, (a, b, c) => refusal(`https://${a}${b}${c}`).length > 0))
  })
})
