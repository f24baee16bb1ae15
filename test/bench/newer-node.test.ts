import { expect } from 'chai'
import { nodeFor, nodeRefusal, otherNodeOf, type Nodes } from '../../bench/newer-node.js'
import { fakeSystem } from './fake-systems.js'

const own = (version: string): Nodes['own'] => ({ program: '/own/node', version })

const any = fakeSystem('any')
const picky = fakeSystem('picky', { oldestNode: '22.6' })

describe('The Node of a system in the bench', () => {
  it('is that of the bench where it says nothing else', () => {
    expect(nodeFor(any, { own: own('20.20.2'), newer: '/newer/node' })).to.equal('/own/node')
    expect(nodeRefusal(any, { own: own('20.20.2') })).to.equal(undefined)
  })

  it('is that of the bench where it is new enough', () => {
    for (const version of ['22.6.0', '22.10.1', '24.0.0']) {
      expect(nodeFor(picky, { own: own(version), newer: '/newer/node' }), version).to.equal('/own/node')
      expect(nodeRefusal(picky, { own: own(version) }), version).to.equal(undefined)
    }
  })

  it('is the newer one that was fetched where the own is too old', () => {
    for (const version of ['20.20.2', '22.5.1']) {
      expect(nodeFor(picky, { own: own(version), newer: '/newer/node' }), version).to.equal('/newer/node')
      expect(nodeRefusal(picky, { own: own(version), newer: '/newer/node' }), version).to.equal(undefined)
    }
  })

  it('is missing where the own is too old and none was fetched, with a line that says how to get one', () => {
    expect(nodeRefusal(picky, { own: own('20.20.2') })).to.equal('it needs Node 22.6 or later, this is 20.20.2, and no newer one was fetched; use --peers')
  })

  it('is named in the report where it is another one', () => {
    expect(otherNodeOf(picky, { own: own('20.20.2'), newer: process.execPath })).to.deep.equal([`Node ${process.version} for picky`])
    expect(otherNodeOf(any, { own: own('20.20.2'), newer: process.execPath })).to.deep.equal([])
  })
})
