import { expect } from 'chai'
import { absoluteUrl } from '#src/frameworks/request-url.js'

const socket = { localAddress: '::1', localPort: 3000 }
const urlOf = (host: string | undefined, target: string | undefined): string => absoluteUrl({ protocol: 'http', host, target, socket })

describe('The URL of a request', () => {
  it('keeps host, port, path and query as they came', () => {
    expect(urlOf('shop.example:8080', '/a%20b/?x=1&x=2')).to.equal('http://shop.example:8080/a%20b/?x=1&x=2')
    expect(urlOf('[2001:db8::1]:8080', '/')).to.equal('http://[2001:db8::1]:8080/')
  })

  it('has one origin also where a proxy sent the whole URL as the target', () => {
    expect(urlOf('shop.example', 'http://other.example/a?b=http://c')).to.equal('http://shop.example/a?b=http://c')
    expect(urlOf('shop.example', 'http://other.example')).to.equal('http://shop.example/')
    expect(urlOf('shop.example', '*')).to.equal('http://shop.example/*')
  })

  it('has the address of the server for a host that cannot be one', () => {
    for (const host of [undefined, '', 'a b', 'user@shop.example', 'shop.example/path', 'a'.repeat(254), 'shop.example:123456']) {
      expect(urlOf(host, '/'), host).to.equal('http://[::1]:3000/')
    }
  })

  it('knows no protocols but two', () => {
    expect(absoluteUrl({ protocol: 'https', host: 'a', target: '/', socket })).to.equal('https://a/')
    expect(absoluteUrl({ protocol: 'javascript', host: 'a', target: '/', socket })).to.equal('http://a/')
  })
})
