import type { Store } from '#src/store/store.js'
import { openMemoryStore } from '#src/store/memory.js'
import { storeContract } from '../contract/store-contract.js'
import type { Scope } from '../kit/temporary.js'

const ONE_PROCESS = 'it lives and dies with the one process it is in'

/** Two connections to one memory are the same. */
const stores = new WeakMap<Scope, Store>()

storeContract('memory', {
  async open(scope, clock) {
    const store = stores.get(scope) ?? openMemoryStore({ clock })
    stores.set(scope, store)
    return store
  },
  except: {
    'what was being recorded when the store closed is there': ONE_PROCESS,
    'four processes that call fifty times each with one key start one task': ONE_PROCESS,
    'of four processes that complete the same tasks, one is the first for each': ONE_PROCESS,
    'a change in another process is told': ONE_PROCESS,
    'while four processes call for the same owners, no page has a task twice, and then each task is found': ONE_PROCESS,
    'a process killed while it writes leaves what it was told is stored, and no half of a list': ONE_PROCESS,
  },
})
