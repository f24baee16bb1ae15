import { ErrandError } from '../errors.js'
import type { Search } from '../store/store.js'
import { settledAppState } from './app.js'
import {
  cancelFound,
  cancelTask,
  type CancelManyOptions,
  type CancelManyResult,
  type CancelOptions,
  type CancelResult,
  type CancelSearch,
} from './cancellation/cancel.js'
import { createHandle, type TaskHandle } from './handle.js'
import { OutcomeBox } from './outcome-box.js'
import { isClaim } from './tracking/copies.js'
import { statusOf, type TaskStatus } from './tracking/status.js'
import { sourceOf } from './tracking/source.js'
import type { Tracking } from './tracking/tracking.js'

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
  /**
   * Cancels a task by its id, see {@link TaskHandle.cancel}; nothing is cancelled where nothing is known of it: `state` is `unknown` then.
   * @throws ErrandError `CALL_INVALID` where nothing is kept (`store: off`), `OPTION_INVALID`, `STORE_UNREACHABLE`
   */
  cancel(id: string, options?: CancelOptions): Promise<CancelResult>
  /**
   * Cancels all tasks that are found and have not ended; with `dryRun` they are only counted. The search must have a condition.
   * @example
   * await tasks.cancel({ task: 'MailService.sendWelcome', tag: 'campaign' }, { reason: 'wrong list' })
   */
  cancel(search: CancelSearch, options?: CancelManyOptions): Promise<CancelManyResult>
}

/** How long a result is waited for that no task says it of. */
const RESULT_TIMEOUT_MS = 30_000

export const tasks: Tasks = {
  cancel,
  get: (id) => handleOf(id, ''),
  async byKey(key) {
    const record = await (await currentTracking()).store.find({ key })
    return record === undefined ? undefined : handleOf(record.id, record.task ?? '')
  },
  async search(search = {}) {
    const { records, next } = await (await currentTracking()).store.search(search)
    return { tasks: records.filter((record) => !isClaim(record)).map((record) => statusOf(record.id, record)), ...(next === undefined ? {} : { next }) }
  },
}

function handleOf(id: string, task: string): TaskHandle<unknown> {
  return createHandle({ id, task, box: new OutcomeBox(), source: sourceOf(currentTracking, id), timeoutMs: RESULT_TIMEOUT_MS, isById: true })
}

function cancel(id: string, options?: CancelOptions): Promise<CancelResult>
function cancel(search: CancelSearch, options?: CancelManyOptions): Promise<CancelManyResult>
async function cancel(which: string | CancelSearch, options?: CancelManyOptions): Promise<CancelResult | CancelManyResult> {
  const tracking = await currentTracking()
  return typeof which === 'string' ? cancelTask(tracking, which, options) : cancelFound(tracking, which, options)
}

/** What keeps how tasks stand in this process, which the first to ask starts like a call does. */
async function currentTracking(): Promise<Tracking> {
  const state = await settledAppState()
  if (state.kind === 'on' && state.runtime.tracking !== undefined) return state.runtime.tracking
  const why = state.kind === 'on' ? '"store: off" keeps nothing. Configure "store: sqlite" or a PostgreSQL URL' : state.kind === 'stopped' ? 'errand was stopped in this process' : '"withAsync" is false, so nothing is kept'
  throw new ErrandError('CALL_INVALID', `Cannot tell how tasks stand, or change it: ${why}.`)
}
