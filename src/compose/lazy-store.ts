import { ErrandError } from '../errors.js'
import type { Store } from '../store/store.js'

/** A store that is opened when it is needed first, and again by the next who needs it where that failed. */
export function lazyStore(open: () => Promise<Store>): Store {
  let opening: Promise<Store> | undefined
  let isClosed = false
  const store = async (): Promise<Store> => {
    if (isClosed) throw new ErrandError('STORE_CLOSED', 'Cannot reach the store of task states: the connection of this process was closed.')
    const mine = (opening ??= open())
    try {
      return await mine
    } catch (error) {
      if (opening === mine) opening = undefined
      throw error
    }
  }
  const close = async (): Promise<void> => {
    isClosed = true
    const opened = await opening?.catch(() => undefined)
    await opened?.close()
  }
  return {
    record: async (changes) => (await store()).record(changes),
    begin: async (key, announcement, join) => (await store()).begin(key, announcement, join),
    find: async (by) => (await store()).find(by),
    search: async (search) => (await store()).search(search),
    watch: async (ids, onChange) => (await store()).watch(ids, onChange),
    expire: async () => (await store()).expire(),
    close,
    [Symbol.asyncDispose]: close,
  }
}
