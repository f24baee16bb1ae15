import type { SqliteBroker } from '../broker/sqlite/broker.js'
import type { OneFile } from '../runtime/tracking/one-file.js'
import type { SqliteStore } from '../store/sqlite/store.js'

/** What a store and a broker that share a room do within one transaction. */
export const oneFileOf = (store: SqliteStore, broker: SqliteBroker): OneFile => ({
  recording: (changes) => store.recording(changes),
  beginning: (key, announcement, join) => store.beginning(key, announcement, join),
  beginRun: (id, run, except) => store.beginWithin(id, run, except),
  publishing: (message) => broker.publishing(message),
  submit: (work, failed) => store.submit(work, failed),
})
