import { expect } from 'chai'
import { placeOfRoute, placeWithin } from '#src/frameworks/web-request.js'

describe('The place of a handler', () => {
  it('is found by what a mount left of the path', () => {
    expect(placeWithin('/async/a/b?x=/a/b', '/a/b?x=/a/b')).to.deep.equal({ mount: '/async', path: '/a/b' })
    expect(placeWithin('/async/', '/')).to.deep.equal({ mount: '/async', path: '/' })
    expect(placeWithin('/async', '/')).to.deep.equal({ mount: '/async', path: '/' })
    expect(placeWithin('/a', '/a')).to.deep.equal({ mount: '', path: '/a' })
    expect(placeWithin('http://shop.example/async/a', '/a')).to.deep.equal({ mount: '/async', path: '/a' })
  })

  it('never begins with two slashes, which would lead to another host', () => {
    expect(placeWithin('//evil.test/async/a', '/a').mount).to.equal('/evil.test/async')
    expect(placeOfRoute('//evil.test/a', '/:tenant/:more/*').mount).to.equal('/evil.test')
  })

  it('is the root when something else rewrote the path', () => {
    expect(placeWithin('/async/a', '/other')).to.deep.equal({ mount: '', path: '/async/a' })
  })

  it('is found by the route, whatever its parameters stand for', () => {
    expect(placeOfRoute('/async/a/b/?x=1', '/async/*')).to.deep.equal({ mount: '/async', path: '/a/b/' })
    expect(placeOfRoute('/acme/async/a', '/:tenant/async/*path')).to.deep.equal({ mount: '/acme/async', path: '/a' })
    expect(placeOfRoute('/async', '/async/*')).to.deep.equal({ mount: '/async', path: '/' })
    expect(placeOfRoute('/async/', '/async/')).to.deep.equal({ mount: '/async', path: '/' })
    expect(placeOfRoute('/a', '/*')).to.deep.equal({ mount: '', path: '/a' })
  })
})
