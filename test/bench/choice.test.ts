import { expect } from 'chai'
import { choose } from '../../bench/choice.js'
import { eachScope } from '../kit/temporary.js'
import { fakeSystem as system, withoutRedis } from './fake-systems.js'

const raw = system('raw')
const uninstalled = system('uninstalled', { packages: ['one'], refusal: () => 'not installed: one; use --peers' })
const onRedis = system('on-redis', { packages: ['two'], server: 'redis' })
const onPostgres = system('on-postgres', { packages: ['three'], server: 'postgres' })
const errandOnRedis = system('errand-on-redis', { server: 'redis' })

describe('The choice of systems to measure', () => {
  const scope = eachScope()

  it('leaves out what is not installed or has no server, and says of each why', async () => {
    const { servers } = withoutRedis(scope())

    const { systems, leftOut } = await choose([uninstalled, raw, onRedis, onPostgres], servers)

    expect(systems).to.deep.equal([raw, onPostgres])
    expect(leftOut).to.deep.equal(['left out: uninstalled: not installed: one; use --peers', 'left out: on-redis: there is no redis-server'])
  })

  it('starts no server for what is not installed', async () => {
    const { servers, tried } = withoutRedis(scope())

    await choose([{ ...uninstalled, server: 'postgres' }], servers)

    expect(tried).to.deep.equal([])
  })

  it('leaves out Errand with its states on a server that is not there, for the others need no such', async () => {
    const { servers } = withoutRedis(scope())

    const { systems, leftOut } = await choose([raw, system('errand-with-redis', { server: 'rabbitmq', store: 'redis' })], servers)

    expect(systems).to.deep.equal([raw])
    expect(leftOut).to.deep.equal(['left out: errand-with-redis: there is no redis-server'])
  })

  it('leaves out what needs a newer Node than there is', async () => {
    const { servers } = withoutRedis(scope())

    const { systems, leftOut } = await choose([raw, system('of-the-future', { oldestNode: '1000.0' })], servers)

    expect(systems).to.deep.equal([raw])
    expect(leftOut).to.have.lengthOf(1)
    expect(leftOut[0]).to.match(/^left out: of-the-future: it needs Node 1000\.0 or later/)
  })

  it('fails where a limit or Errand has no server, for nothing can be compared then', async () => {
    const { servers } = withoutRedis(scope())

    const outcome = await choose([raw, errandOnRedis], servers).catch((error: unknown) => error)

    expect(outcome).to.be.an('error').with.property('message', 'there is no redis-server')
  })
})
