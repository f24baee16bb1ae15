import { expect } from 'chai'
import { eachScope } from '../kit/temporary.js'
import { fakeSystem, withoutRedis } from './fake-systems.js'

describe('The servers of the bench', () => {
  const scope = eachScope()

  it('are there for the others where one did not start', async () => {
    const { servers } = withoutRedis(scope())

    await servers.open([fakeSystem('on-redis', { server: 'redis' })]).catch(() => {})
    await servers.open([fakeSystem('on-postgres', { server: 'postgres' })])

    expect(servers.urls()).to.deep.equal({ postgres: 'postgres://here' })
    expect(servers.versions()).to.deep.equal(['postgres 1.0'])
  })

  it('are two for a system that keeps its states on another', async () => {
    const { servers } = withoutRedis(scope())

    const both = await servers.of(fakeSystem('on-both', { server: 'rabbitmq', store: 'postgres' }))

    expect(both.map(({ url }) => url)).to.deep.equal(['rabbitmq://here', 'postgres://here'])
    expect(await servers.of(fakeSystem('on-a-file'))).to.deep.equal([])
  })

  it('are started once for all systems, also one that does not start', async () => {
    const { servers, tried } = withoutRedis(scope())

    for (const server of ['redis', 'postgres', 'redis', 'postgres'] as const) {
      await servers.open([fakeSystem('any', { server })]).catch(() => {})
    }

    expect(tried).to.deep.equal(['redis', 'postgres'])
  })
})
