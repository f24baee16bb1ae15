import { expect } from 'chai'
import { existsSync } from 'node:fs'
import type { Config, ConfigInput } from 'errand'
import { systemClock } from '#src/core/clock.js'
import { Election, queryLeader } from '#worker/supervisor/election.js'
import { isFileAddress, leaderAddress } from '#worker/supervisor/leader-address.js'
import { allGone, endWithTest, isAlive, startProgram, type Program, type ProgramOptions } from '../kit/process.js'
import { serviceConfig } from '../kit/service.js'
import { eachScope, type Scope } from '../kit/temporary.js'
import { until } from '../kit/until.js'

const SERVER = new URL('../fixtures/worker-server/server.js', import.meta.url)
const CLUSTER = new URL('../fixtures/worker-server/cluster.js', import.meta.url)
const HOLDER = new URL('../fixtures/worker-server/socket-holder.js', import.meta.url)
const main = new URL('../fixtures/worker-stub/main.js', import.meta.url).href

interface Service {
  readonly config: Config
  readonly server: (options?: ProgramOptions & { readonly file?: URL }) => Program
  /** The leading server and its running workers. */
  readonly set: () => Promise<{ readonly leader: number; readonly workers: readonly number[] } | undefined>
}

async function service(scope: Scope, overrides: ConfigInput = {}): Promise<Service> {
  const config = await serviceConfig(scope, overrides)
  const args = [JSON.stringify({ config, modules: [], main })]
  return {
    config,
    server: ({ file = SERVER, ...options } = {}) => startProgram(scope, file, { ...options, args }),
    set: async () => {
      const status = await queryLeader(config)
      const workers = (status?.workers ?? []).flatMap(({ pid, state }) => (pid !== undefined && state === 'running' ? [pid] : []))
      if (status === undefined || workers.length < config.worker.processes) return undefined
      endWithTest(scope, workers)
      return { leader: status.pid, workers }
    },
  }
}

describe('The workers of a service on one host', () => {
  const scope = eachScope()

  it('are one set, however many servers there are, and another server takes over when theirs is killed', async () => {
    const { server, set } = await service(scope())
    const servers = [server(), server()]
    await Promise.all(servers.map((program) => program.line(/^ready/)))
    const first = await until('a set', set)
    const leader = servers.find(({ pid }) => pid === first.leader)

    leader?.kill('SIGKILL')
    const second = await until('another set', async () => {
      const now = await set()
      return now !== undefined && now.leader !== first.leader && now
    })

    await allGone(first.workers)
    expect(servers.map(({ pid }) => pid)).to.include(second.leader)
    expect(second.workers).to.have.length(1).and.not.deep.equal(first.workers)
  })

  it('are one set in a node cluster', async () => {
    const { server, set } = await service(scope())
    const program = server({ file: CLUSTER })

    await program.line(/^ready/, 2)
    await until('a set', set)

    expect(program.lines.filter((line) => line.includes('runs the workers of orders on this host.'))).to.have.length(1)
    expect(program.lines.filter((line) => line.includes('this one stands by'))).to.have.length(1)
  })

  it('are taken over by the next server when the leading one stops, and never run twice', async () => {
    const { server, set } = await service(scope())
    const leading = server({ env: { GRACEFUL: '1' } })
    await leading.line(/^ready/)
    const first = await until('a set', set)
    await server().line(/^ready/)

    leading.kill('SIGTERM')
    const second = await until('another set', async () => {
      const now = await set()
      return now !== undefined && now.leader !== first.leader && { ...now, firstLives: first.workers.some(isAlive) }
    })

    expect(second.firstLives).to.equal(false)
    expect(await leading.exited).to.deep.equal({ code: 0, signal: null })
  })

  it('are left alone by the servers of another service', async () => {
    const orders = await service(scope())
    const invoices = await service(scope(), { service: 'invoices' })
    await orders.server().line(/^ready/)
    const before = await until('a set', orders.set)

    const other = invoices.server()
    await other.line(/^ready/)
    const beside = await until('the other set', invoices.set)
    other.kill('SIGKILL')
    await allGone(beside.workers)

    expect(await orders.set()).to.deep.equal(before)
  })

  it('are exactly one new set after the server was restarted', async () => {
    const { server, set } = await service(scope())
    const old = server()
    await old.line(/^ready/)
    const first = await until('a set', set)

    old.kill('SIGTERM')
    const next = server()
    await next.line(/^ready/)
    const second = await until('a set', set)

    await allGone(first.workers)
    expect(second.leader).to.equal(next.pid)
    expect(second.workers).to.have.length(1)
  })

  it('do not keep a server that has nothing left to do', async () => {
    const { server, set } = await service(scope())
    const idle = server({ env: { IDLE: '1' } })

    await idle.line(/^ready/)

    expect(await idle.exited).to.deep.equal({ code: 0, signal: null })
    expect(await set()).to.equal(undefined)
  })
})

describe('The election where sockets are files', () => {
  const scope = eachScope()

  function takePart(address: string): { readonly roles: string[]; readonly election: Election } {
    const roles: string[] = []
    const election = new Election({
      address,
      clock: systemClock,
      onLead: () => void roles.push('leads'),
      onFollow: () => void roles.push('follows'),
      onError: (error) => void roles.push(error.message),
      status: () => ({ pid: process.pid, leader: 'server', service: 'orders', environment: 'test', workers: [] }),
    })
    scope().defer(() => election.close())
    election.start()
    return { roles, election }
  }

  it('is won by one of many after the leader was killed and left its file', async () => {
    const address = scope().file('leader.sock')
    const holder = startProgram(scope(), HOLDER, { args: [address] })
    await holder.line(/listening/)
    holder.kill('SIGKILL')
    await holder.exited
    expect(existsSync(address)).to.equal(true)

    const all = Array.from({ length: 5 }, () => takePart(address))
    await until('all roles', () => all.every(({ roles }) => roles.length > 0))

    expect(all.flatMap(({ roles }) => roles).toSorted()).to.deep.equal(['follows', 'follows', 'follows', 'follows', 'leads'])
  })

  it('says so when no socket can be opened', async () => {
    const { roles } = takePart(`${scope().folder()}/missing/leader.sock`)

    await until('an answer', () => roles.length > 0)

    expect(roles[0]).to.match(/its local socket cannot be opened .*worker\.spawn: false/)
  })

  it('uses a file only where the system has nothing that vanishes with its process', () => {
    const identity = { service: 'orders', environment: 'test', dataDir: '/data' }
    const addresses = (['linux', 'win32', 'darwin'] as const).map((platform) => leaderAddress(identity, platform))

    expect(addresses.map(isFileAddress)).to.deep.equal([false, false, true])
    expect(addresses.every((address) => address.length < 104)).to.equal(true)
    expect(leaderAddress({ ...identity, environment: 'production' }, 'linux')).not.to.equal(addresses[0])
  })
})
