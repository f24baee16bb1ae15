import { once } from 'node:events'
import { newId } from '#src/core/clock.js'
import { openPostgresStore } from '#src/store/postgres/store.js'
import { openSqliteStore } from '#src/store/sqlite/open.js'
import type { Store } from '#src/store/store.js'
import type { StoreNews, StoreOrder } from './store-process.js'

// startStoreProcess wrote it
const order = JSON.parse(process.argv[2] ?? '') as StoreOrder
const { at } = order
const store = at.driver === 'sqlite' ? await openSqliteStore({ file: at.file }) : await openPostgresStore({ url: at.url, schema: at.schema })
const told = once(process, 'message')
tell({ is: 'ready' })
await told
await work(store)

function tell(news: StoreNews): void {
  process.send?.(news)
}

async function work(on: Store): Promise<void> {
  switch (order.do) {
    case 'begin': {
      const { key, calls } = order
      const begin = () => on.begin(key, { id: newId(), task: 'Shop.buy', queue: 'default', createdAt: Date.now() })
      const all = await Promise.all(Array.from({ length: calls }, begin))
      return tell({ is: 'begun', all: all.map(({ isNew, record }) => ({ isNew, id: record.id })) })
    }
    case 'complete': {
      const run = { attempt: 1, startedAt: process.pid, worker: { host: 'here', pid: process.pid } }
      const one = (id: string) => on.record([{ kind: 'completed', id, at: Date.now(), run }])
      const all = await Promise.all(order.ids.map(one))
      return tell({ is: 'completed', first: all.flat().filter(({ applied }) => applied).length })
    }
    case 'call': {
      const { owners, calls } = order
      const ids = Array.from({ length: calls }, newId)
      const call = (id: string, index: number) => ({ kind: 'announced', id, task: 'Shop.buy', queue: 'default', owner: owners[index % owners.length] }) as const
      await Promise.all(ids.map((id, index) => on.record([{ ...call(id, index), createdAt: Date.now() }])))
      return tell({ is: 'called', ids })
    }
    case 'write':
      return write(on, order.tag)
  }
}

/** Ten writers that never pause, so that the process is never idle when it is killed. Each writes pairs that belong together. */
async function write(on: Store, tag: string): Promise<void> {
  const one = async (): Promise<void> => {
    for (;;) {
      const id = `${tag}-${newId()}`
      const call = { kind: 'announced', task: 'Shop.buy', queue: 'default', createdAt: Date.now(), key: `key of ${id}` } as const
      await on.record([{ ...call, id: `${id}-a` }, { ...call, id: `${id}-b`, key: undefined, parentId: `${id}-a` }])
      tell({ is: 'stored', id })
    }
  }
  await Promise.all(Array.from({ length: 10 }, one))
}
