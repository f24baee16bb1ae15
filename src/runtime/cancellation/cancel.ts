import { currentScope } from '../../core/context.js'
import type { TaskState } from '../../core/lifecycle.js'
import { refuseUnknownKeys, show } from '../../core/options.js'
import { ErrandError } from '../../errors.js'
import { UNFINISHED, type Search } from '../../store/store.js'
import { userId } from '../failures.js'
import type { Tracking } from '../tracking/tracking.js'
import type { CancelNote } from './cancelled.js'
import { cancelChange, cancelChildren, cancelRecords } from './records.js'

export interface CancelOptions {
  /** Why, for people: 500 characters at most. It is shown in the status, and in what a wait for the result ends with. */
  readonly reason?: string | undefined
  /** Id of the user who cancels. @defaultValue the user of the current context */
  readonly by?: string | undefined
  /** Whether the calls that the task made are cancelled as well, with theirs. @defaultValue true */
  readonly children?: boolean | undefined
}

export interface CancelManyOptions extends CancelOptions {
  /** Only count. @defaultValue false */
  readonly dryRun?: boolean | undefined
}

/** What became of a wish to cancel a task. */
export interface CancelResult {
  readonly id: string
  /** `false` where it had ended before, was cancelled before, or nothing is known of it. */
  readonly isCancelled: boolean
  /** Where it stands now; `unknown` where nothing is known of it. */
  readonly state: TaskState
  /** How many calls that it made were cancelled with it. */
  readonly children: number
}

/** Which tasks to cancel: those among them that have not ended. */
export type CancelSearch = Omit<Search, 'after' | 'limit'>

export interface CancelManyResult {
  /** How many were found and cancelled. */
  readonly cancelled: number
  /** How many calls that they made were cancelled with them; 0 where nothing was done but counting. */
  readonly children: number
}

const LONGEST_REASON = 500
const PAGE = 500

/** Cancels one task. @throws ErrandError `OPTION_INVALID`, `STORE_UNREACHABLE` */
export async function cancelTask(tracking: Tracking, id: string, options: CancelOptions = {}): Promise<CancelResult> {
  const note = noteFor('cancel()', options)
  const record = await tracking.store.find({ id })
  if (record === undefined) return { id, isCancelled: false, state: 'unknown', children: 0 }
  const [recorded] = await tracking.store.record([cancelChange(tracking, record, note)])
  const { applied = false, state = record.state } = recorded ?? {}
  // also of one that was cancelled before: it may have made calls since
  const children = state === 'cancelled' && note.children ? await cancelChildren(tracking, [id], note) : 0
  return { id, isCancelled: applied, state, children }
}

/** Cancels all that are found and have not ended. @throws ErrandError `OPTION_INVALID`, `STORE_UNREACHABLE` */
export async function cancelFound(tracking: Tracking, search: CancelSearch, { dryRun = false, ...options }: CancelManyOptions = {}): Promise<CancelManyResult> {
  const note = noteFor('tasks.cancel()', options)
  refuseEmpty(search)
  const states = UNFINISHED.filter((state) => search.states === undefined || search.states.includes(state))
  let [cancelled, children] = [0, 0]
  let after: string | undefined
  while (states.length > 0) {
    const { records, next } = await tracking.store.search({ ...search, states, limit: PAGE, after })
    const ids = dryRun ? records.map(({ id }) => id) : await cancelRecords(tracking, records, note)
    cancelled += ids.length
    if (!dryRun && note.children) children += await cancelChildren(tracking, ids, note)
    if (next === undefined) break
    after = next
  }
  return { cancelled, children }
}

function noteFor(where: string, options: CancelOptions): CancelNote {
  refuseUnknownKeys(where, options, ['reason', 'by', 'children'])
  const { reason, by = userId(currentScope()?.context), children = true } = options
  for (const [name, text] of Object.entries({ reason, by })) {
    if (text === undefined || (typeof text === 'string' && text.length <= LONGEST_REASON)) continue
    throw new ErrandError('OPTION_INVALID', `${where} ${name} must be a text of at most ${LONGEST_REASON} characters, got ${typeof text === 'string' ? text.length : show(text)}.`)
  }
  return { ...(by === undefined ? {} : { by }), ...(reason === undefined ? {} : { reason }), children }
}

/** Nobody cancels everything by leaving something out. */
function refuseEmpty(search: CancelSearch): void {
  if (Object.values(search).some((condition) => condition !== undefined)) return
  throw new ErrandError('OPTION_INVALID', 'tasks.cancel() got a search without a condition. Name one, such as { task }; { states } may name them all.')
}
