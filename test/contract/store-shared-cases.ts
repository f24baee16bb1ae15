import { expect } from 'chai'
import { newId } from '#src/core/clock.js'
import { startStoreProcess, type StoreNews, type StoreProcess } from '../kit/store-process.js'
import type { StoreCase, StoreCases } from './store-case.js'

export const beginCases: StoreCases = {
  'a key that stands for nothing begins; a second call joins it, in every unfinished state': async (c) => {
    const first = c.announcement({ owner: 'ada' })
    expect(await c.store.begin('k', first)).to.deep.include({ isNew: true })
    const joined = async (): Promise<unknown> => {
      const { isNew, record } = await c.store.begin('k', c.announcement())
      return [isNew, record.id === first.id, record.state]
    }
    expect(await joined()).to.deep.equal([false, true, 'queued'])
    await c.store.record([c.start(first.id)])
    expect(await joined()).to.deep.equal([false, true, 'running'])
    await c.store.record([c.retry(first.id)])
    expect(await joined()).to.deep.equal([false, true, 'retrying'])
  },

  'a key whose task completed begins again by default, and answers the kept result where that is asked for': async (c) => {
    const first = c.announcement()
    await c.store.begin('k', first)
    await c.store.record([c.complete(first.id, '42')])

    const kept = await c.store.begin('k', c.announcement(), ['running', 'completed'])
    expect(kept).to.deep.include({ isNew: false })
    expect(kept.record).to.include({ id: first.id, result: '42' })
    const again = c.announcement()
    expect(await c.store.begin('k', again)).to.deep.include({ isNew: true })
    expect(await c.store.find({ key: 'k' })).to.include({ id: again.id })
    expect(await c.state(first.id)).to.equal('completed')
  },

  'a begin that is repeated with its own id is new still': async (c) => {
    const first = c.announcement()
    await c.store.begin('k', first)
    expect(await c.store.begin('k', first)).to.deep.include({ isNew: true })
  },

  'a task whose message is overdue is not joined, unless it was sent or a run began': async (c) => {
    const sendingUntil = c.clock.now() + 60_000
    const [lost, sent, ran] = [c.announcement({ sendingUntil }), c.announcement({ sendingUntil }), c.announcement({ sendingUntil })]
    await Promise.all([c.store.begin('lost', lost), c.store.begin('sent', sent), c.store.begin('ran', ran)])
    await c.store.record([{ kind: 'sent', id: sent.id, at: c.clock.now() }, c.start(ran.id)])
    const joined = async (key: string): Promise<boolean> => !(await c.store.begin(key, c.announcement())).isNew
    expect(await joined('lost')).to.equal(true)

    c.clock.forward(60_000)

    expect([await joined('lost'), await joined('sent'), await joined('ran')]).to.deep.equal([false, true, true])
    expect(await c.state(lost.id)).to.equal('queued')
  },

  'fifty calls at once with one key start one, those with other keys each their own': async (c) => {
    const other = await c.second()
    const call = (key: string, index: number) => (index % 2 === 0 ? c.store : other).begin(key, c.announcement())
    const all = await Promise.all(Array.from({ length: 50 }, (_, index) => call('one', index)))
    expect(all.filter(({ isNew }) => isNew)).to.have.lengthOf(1)
    expect(new Set(all.map(({ record }) => record.id)).size).to.equal(1)
    const apart = await Promise.all(Array.from({ length: 50 }, (_, index) => call(`key ${index}`, index)))
    expect(apart.every(({ isNew }) => isNew)).to.equal(true)
  },
}

export const watchCases: StoreCases = {
  'a change is told to who watches that task or all, and to nobody else': async (c) => {
    const [one, two, three] = [await c.announce(), await c.announce(), await c.announce()]
    const told: Record<string, string[]> = { one: [], all: [], stopped: [] }
    await c.store.watch([one], (id) => told['one']?.push(id))
    await c.store.watch('all', (id) => told['all']?.push(id))
    const stopped = await c.store.watch('all', (id) => told['stopped']?.push(id))
    await stopped.stop()
    await stopped.stop()

    await c.store.record([c.start(two)])
    await c.store.record([c.start(one)])
    await c.store.record([c.start(three)])

    await c.until('the last change', () => told['all']?.includes(three))
    expect(told['one']).to.deep.equal([one])
    expect(told['all']).to.include.members([one, two, three])
    expect(told['stopped']).to.deep.equal([])
  },

  'what is read when a change was told has that change': async (c) => {
    const id = await c.announce()
    const states: string[] = []
    const watching = await c.second()
    await watching.watch([id], (changed) => void c.state(changed, watching).then((state) => states.push(state)))
    await c.store.record([c.start(id)])
    await c.store.record([c.complete(id)])
    await c.until('the end', () => states.includes('completed'))
    expect(states.at(-1)).to.equal('completed')
  },

  'a change that is passed over is told to nobody': async (c) => {
    const [ended, last] = [await c.announce(), await c.announce()]
    await c.store.record([c.complete(ended)])
    // what was recorded above may be told to no one who watches from here on, once this has been
    const told: string[] = []
    await c.store.watch('all', (id) => told.push(id))
    const seen = await c.announce()
    await c.until('a first change', () => told.includes(seen))
    told.length = 0
    await c.store.record([c.complete(ended), c.start(ended)])
    await c.store.record([c.start(last)])
    await c.until('the last change', () => told.includes(last))
    expect(told).to.deep.equal([last])
  },

  'a watcher that throws does not keep the others from hearing': async (c) => {
    const told: string[] = []
    await c.store.watch('all', () => {
      throw new Error('a watcher failed')
    })
    await c.store.watch('all', (id) => told.push(id))
    const id = await c.announce()
    await c.until('the change', () => told.includes(id))
  },
}

export const processCases: StoreCases = {
  'four processes that call fifty times each with one key start one task': async (c) => {
    const processes = Array.from({ length: 4 }, () => startStoreProcess(c.scope, { at: c.address, do: 'begin', key: 'one', calls: 50 }))
    await startTogether(c, processes)
    const all = (await Promise.all(processes.map((each) => news(c, each, 'begun')))).flatMap((each) => each.all)

    expect(all).to.have.lengthOf(200)
    expect(all.filter(({ isNew }) => isNew)).to.have.lengthOf(1)
    expect(new Set(all.map(({ id }) => id)).size).to.equal(1)
    expect((await c.store.search({})).records).to.have.lengthOf(1)
  },

  'of four processes that complete the same tasks, one is the first for each': async (c) => {
    const ids = await Promise.all(Array.from({ length: 50 }, () => c.announce()))
    const processes = Array.from({ length: 4 }, () => startStoreProcess(c.scope, { at: c.address, do: 'complete', ids }))
    await startTogether(c, processes)
    const all = await Promise.all(processes.map((each) => news(c, each, 'completed')))
    expect(all.reduce((sum, { first }) => sum + first, 0)).to.equal(50)
  },

  'a change in another process is told': async (c) => {
    const id = await c.announce()
    const told: string[] = []
    await c.store.watch([id], (changed) => told.push(changed))
    const other = startStoreProcess(c.scope, { at: c.address, do: 'complete', ids: [id] })
    await startTogether(c, [other])
    await c.until('the change', () => told.includes(id))
    expect(await c.state(id)).to.equal('completed')
  },

  'a process killed while it writes leaves what it was told is stored, and no half of a list': async (c) => {
    const writer = startStoreProcess(c.scope, { at: c.address, do: 'write', tag: 'w' })
    await startTogether(c, [writer])
    await c.until('some writes', () => writer.news.length > 30)
    await writer.kill()

    const told = writer.news.flatMap((each) => (each.is === 'stored' ? [each.id] : []))
    for (const id of told) {
      expect(await c.state(`${id}-a`)).to.equal('queued')
      expect(await c.store.find({ key: `key of ${id}` })).to.include({ id: `${id}-a` })
    }
    let after: string | undefined
    const ids: string[] = []
    do {
      const page = await c.store.search({ limit: 500, after })
      ids.push(...page.records.map((record) => record.id))
      after = page.next
    } while (after !== undefined)
    const halves = (end: string): string[] => ids.filter((id) => id.endsWith(end)).map((id) => id.slice(0, -2)).sort()
    expect(halves('-a')).to.deep.equal(halves('-b'))
    await c.announce({ id: newId() })
  },
}

export async function startTogether(c: StoreCase, processes: readonly StoreProcess[]): Promise<void> {
  await c.until('every process', () => processes.every((each) => each.news.some(({ is }) => is === 'ready')))
  for (const each of processes) each.go()
}

export async function news<K extends StoreNews['is']>(c: StoreCase, from: StoreProcess, kind: K): Promise<Extract<StoreNews, { is: K }>> {
  const isOfKind = (each: StoreNews): each is Extract<StoreNews, { is: K }> => each.is === kind
  return c.until(`a process that has ${kind}`, () => from.news.find(isOfKind))
}
