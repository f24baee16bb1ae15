import { expect } from 'chai'
import { newId } from '#src/core/clock.js'
import { startStoreProcess } from '../kit/store-process.js'
import type { StoreCase, StoreCases } from './store-case.js'
import { news, startTogether } from './store-shared-cases.js'

/** More than any store leaves for later when it puts tasks where they are found by owner. */
const MANY = 2_500
const OWNERS = ['ada', 'grace', 'é'.repeat(200)]

interface Called {
  readonly id: string
  readonly owner: string
  readonly createdAt: number
}

/** Records calls of each owner in turn, of which some have one time and some come late. */
async function callMany(c: StoreCase, count: number, { owners = OWNERS, expiresAt }: { owners?: string[]; expiresAt?: number } = {}): Promise<Called[]> {
  const calls = Array.from({ length: count }, (_, index) => {
    return { id: newId(), owner: owners[index % owners.length] ?? '', createdAt: 1_000_000 + Math.floor(index / 20) * (index % 7 === 0 ? -1 : 1) }
  })
  await Promise.all(calls.map((call) => c.store.record([{ kind: 'announced', task: 'Shop.buy', queue: 'default', expiresAt, ...call }])))
  return calls
}

/** The ids of an owner's calls in the order in which pages have them. */
function inOrder(calls: readonly Called[], owner: string): string[] {
  const own = calls.filter((call) => call.owner === owner)
  return own.sort((a, b) => b.createdAt - a.createdAt || (a.id < b.id ? 1 : -1)).map(({ id }) => id)
}

async function found(c: StoreCase, owner: string, limit = 70): Promise<string[]> {
  return (await c.allPages({ owner, limit })).map(({ id }) => id)
}

export const ownerCases: StoreCases = {
  'each of many tasks is found once, page by page, the last made first, whenever it was recorded': async (c) => {
    const calls: Called[] = []
    for (const count of [10, MANY, 700]) {
      calls.push(...(await callMany(c, count)))
      for (const owner of OWNERS) expect(await found(c, owner)).to.deep.equal(inOrder(calls, owner))
    }
    expect(await found(c, 'nobody')).to.deep.equal([])
  },

  'of many tasks of an owner those are found that the other conditions name': async (c) => {
    const calls = await callMany(c, MANY + 100)
    const own = calls.filter(({ owner }) => owner === 'ada')
    const [first, last] = [own[0]?.id ?? '', own.at(-1)?.id ?? '']
    await c.store.record([c.start(first), c.fail(first), c.start(last), c.fail(last)])
    const ids = async (search: object): Promise<string[]> => (await c.store.search({ owner: 'ada', ...search })).records.map(({ id }) => id)

    expect(await ids({ states: ['failed'] })).to.have.members([first, last])
    expect(await ids({ states: ['completed'] })).to.deep.equal([])
    expect(await ids({ text: last })).to.deep.equal([last])
    const [from, to] = [1_000_010, 1_000_040]
    const within = own.filter(({ createdAt }) => createdAt >= from && createdAt < to)
    expect(await ids({ from, to, limit: 500 })).to.deep.equal(inOrder(within, 'ada'))
  },

  'tasks that expired are found no more, and those that come after them are': async (c) => {
    const kept = await callMany(c, 300)
    await callMany(c, MANY, { expiresAt: c.clock.now() + 60_000 })
    c.clock.forward(61_000)
    expect(await found(c, 'ada')).to.deep.equal(inOrder(kept, 'ada'))
    expect(await c.store.expire()).to.equal(MANY)

    for (const count of [200, MANY, 10]) {
      kept.push(...(await callMany(c, count, { owners: ['ada', 'alan'] })))
      for (const owner of [...OWNERS, 'alan']) expect(await found(c, owner)).to.deep.equal(inOrder(kept, owner))
    }
  },

  'a task that takes the place of an expired one with its id is found by its own owner only': async (c) => {
    const expiresAt = c.clock.now() + 60_000
    const [early, late] = [await c.announce({ owner: 'before', expiresAt }), newId()]
    await callMany(c, MANY)
    await c.announce({ id: late, owner: 'before', expiresAt })
    c.clock.forward(61_000)
    for (const id of [early, late]) await c.announce({ id, owner: 'after' })
    expect(await found(c, 'before')).to.deep.equal([])
    expect(await found(c, 'after')).to.have.members([early, late])
  },

  'a task that was known by its run is found by its owner once its call is recorded': async (c) => {
    const [one, other] = [newId(), newId()]
    await c.store.record([c.start(one), c.start(other)])
    await c.announce({ id: one, owner: 'ada' })
    await callMany(c, MANY, { owners: ['grace'] })
    await c.announce({ id: other, owner: 'ada' })
    expect(await found(c, 'ada')).to.have.members([one, other])
  },
}

export const ownerProcessCases: StoreCases = {
  'while four processes call for the same owners, no page has a task twice, and then each task is found': async (c) => {
    const order = { at: c.address, do: 'call', owners: ['ada', 'grace'], calls: 1_600 } as const
    const processes = Array.from({ length: 4 }, () => startStoreProcess(c.scope, order))
    await startTogether(c, processes)
    const isOver = (): boolean => processes.every((each) => each.news.some(({ is }) => is === 'called'))
    let [size, looks] = [0, 0]
    while (!isOver()) {
      const ids = await found(c, 'ada', 100)
      expect(new Set(ids).size).to.equal(ids.length)
      expect(ids.length).to.be.at.least(size)
      ;[size, looks] = [ids.length, looks + 1]
      // the calls of this test's own reach the other processes' tasks, too
      await c.announce({ owner: 'alan' })
    }

    const called = (await Promise.all(processes.map((each) => news(c, each, 'called')))).flatMap(({ ids }) => ids)
    const all = [...(await found(c, 'ada', 500)), ...(await found(c, 'grace', 500))]
    expect(all).to.have.lengthOf(6_400).and.to.have.members(called)
    expect(await found(c, 'alan')).to.have.lengthOf(looks)
  },
}
