import { ErrandError } from '../errors.js'
import type { Search, Store } from '../store/store.js'
import { settledAppState } from './app.js'
import { createHandle, type TaskHandle } from './handle.js'
import { OutcomeBox } from './outcome-box.js'
import { statusOf, type TaskStatus } from './tracking/status.js'
import { sourceOf } from './tracking/source.js'

/** What to look for; every condition that is given must hold. */
export type TaskSearch = Search

/** Tasks that were found. */
export interface TaskPage {
  /** The last made first. */
  readonly tasks: readonly TaskStatus[]
  /** Give it as `after` for the next page; absent on the last. */
  readonly next?: string | undefined
}

/** Tasks that were called before, by whichever process. */
export interface Tasks {
  /**
   * The handle of a task by its id. It asks nothing yet; its status is `unknown` where nothing is known, or nothing any more.
   * @example
   * const { state } = await tasks.get(id).status()
   */
  get(id: string): TaskHandle<unknown>
  /** The task that a key stands for; `undefined` where it stands for none. @throws ErrandError `STORE_UNREACHABLE`, `CALL_INVALID` */
  byKey(key: string): Promise<TaskHandle<unknown> | undefined>
  /** @throws ErrandError `STORE_UNREACHABLE`, `CALL_INVALID` where nothing is kept (`store: off`), `OPTION_INVALID` */
  search(search?: TaskSearch): Promise<TaskPage>
}

/** How long a result is waited for that no task says it of. */
const RESULT_TIMEOUT_MS = 30_000

export const tasks: Tasks = {
  get: (id) => handleOf(id, ''),
  async byKey(key) {
    const record = await (await currentStore()).find({ key })
    return record === undefined ? undefined : handleOf(record.id, record.task ?? '')
  },
  async search(search = {}) {
    const { records, next } = await (await currentStore()).search(search)
    return { tasks: records.map((record) => statusOf(record.id, record)), ...(next === undefined ? {} : { next }) }
  },
}

function handleOf(id: string, task: string): TaskHandle<unknown> {
  return createHandle({ id, task, box: new OutcomeBox(), source: sourceOf(currentStore, id), timeoutMs: RESULT_TIMEOUT_MS, isById: true })
}

/** The store of this process, which the first to ask starts like a call does. */
async function currentStore(): Promise<Store> {
  const state = await settledAppState()
  if (state.kind === 'on' && state.runtime.tracking !== undefined) return state.runtime.tracking.store
  const why = state.kind === 'on' ? '"store: off" keeps nothing' : state.kind === 'stopped' ? 'errand was stopped in this process' : '"withAsync" is false, so nothing is kept'
  throw new ErrandError('CALL_INVALID', `Cannot tell how tasks stand: ${why}.`)
}
