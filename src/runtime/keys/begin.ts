import type { TaskState } from '../../core/lifecycle.js'
import { ErrandError } from '../../errors.js'
import { UNFINISHED } from '../../store/store.js'
import { enqueue, enqueueOnce, type SendOptions } from '../background.js'
import type { TaskHandle } from '../handle.js'
import { tasks } from '../tasks.js'
import type { OneFlight } from '../tracking/tracking.js'
import { checkedKey } from './once.js'

/** A text, or what makes one of the id of the task. */
export type ProcessText = string | ((taskId: string) => string)

/** How a task is begun by its key. */
export interface BeginOptions<A extends readonly unknown[]> extends Omit<SendOptions, 'key' | 'join' | 'within' | 'then' | 'onFailed'> {
  /** The arguments of the task. @defaultValue [] */
  readonly args?: A | undefined
}

export interface CheckOptions<A extends readonly unknown[]> extends BeginOptions<A> {
  /** Stands for the work, 1 to 512 characters. Without a key and an id a task is always started. */
  readonly key?: string | undefined
  /** The id of a task that was started before; where it is given, that one is looked at before the key is. */
  readonly taskId?: string | undefined
  /** Start none while one has not ended. `false`: start one in any case; the key stands for that one then. @defaultValue true */
  readonly checkRunning?: boolean | undefined
  /** A task that only waits counts as running too. `false` is the rule of older systems. @defaultValue true */
  readonly checkQueued?: boolean | undefined
  /** The key stands for the task that is started. `false`: nothing is kept of the key, and nobody can join. @defaultValue true */
  readonly cacheResults?: boolean | undefined
  /** What is answered. @defaultValue the texts of {@link PROCESS_TEXTS} */
  readonly texts?: { readonly processing?: ProcessText | undefined; readonly starting?: ProcessText | undefined } | undefined
}

/** What `checkStatusOrBegin()` answered. */
export interface CheckedProcess {
  readonly text: string
  readonly taskId: string
  /** Whether a task was started. */
  readonly isNew: boolean
}

export const PROCESS_TEXTS = Object.freeze({ processing: 'This is being processed already.', starting: 'The processing has started.' })

/**
 * Starts a task unless one of the same key (or that of `taskId`) is under way, and answers its id and a text for people. A task that
 * has ended is started again: ask `processIsComplete()` before, or use {@link getOrRun}. Of any number of calls at once, in any
 * processes, one starts its task. `task` is a task function, or a function that calls one task: `(year) => reports.yearly(year)`.
 * @throws ErrandError `CALL_INVALID` where nothing is kept (`store: off`), `OPTION_INVALID`, `STORE_UNREACHABLE`, and what sending fails with
 * @example
 * const { text, taskId } = await checkStatusOrBegin(report, { args: [2026], key: request.url })
 */
export async function checkStatusOrBegin<A extends unknown[]>(
  task: (...args: A) => Promise<unknown>,
  options: CheckOptions<NoInfer<A>> = {},
): Promise<CheckedProcess> {
  const { args, key, taskId, checkRunning = true, checkQueued = true, cacheResults = true, texts = {}, ...send } = options
  if (key !== undefined) checkedKey('checkStatusOrBegin()', key)
  const join = !checkRunning ? [] : checkQueued ? UNFINISHED : RUNNING
  const underWay = await joinedBefore({ key: cacheResults ? undefined : key, taskId }, join)
  const processing = (id: string): CheckedProcess => ({ text: textOf(texts.processing ?? PROCESS_TEXTS.processing, id), taskId: id, isNew: false })
  if (underWay !== undefined) return processing(underWay)
  const once = key === undefined || !cacheResults ? undefined : { key, join }
  const { id, isNew } = await begin(task, args, { ...send, once })
  return isNew ? { text: textOf(texts.starting ?? PROCESS_TEXTS.starting, id), taskId: id, isNew } : processing(id)
}

/** What `getOrRun()` found, or did. */
export type RunOrValue<R> =
  | { readonly kind: 'completed'; readonly taskId: string; readonly value: R }
  | { readonly kind: 'running'; readonly taskId: string; readonly state: TaskState }
  | { readonly kind: 'started'; readonly taskId: string }

/**
 * The value of the task for which `key` stands, without running it again for as long as its result is kept (option `keep` of the task);
 * how it stands while it has not ended; and where there is none, or it failed or was cancelled, it is started. It does not wait.
 * @throws as {@link checkStatusOrBegin} does
 * @example
 * const report = await getOrRun(yearly, { args: [2026], key: 'report 2026' })
 * if (report.kind === 'completed') show(report.value)
 */
export async function getOrRun<A extends unknown[], R>(
  task: (...args: A) => Promise<R>,
  { args, key, ...send }: BeginOptions<NoInfer<A>> & { readonly key: string },
): Promise<RunOrValue<R>> {
  const handle = await enqueue(() => task(...given(args)), { ...send, key: checkedKey('getOrRun()', key), join: 'completed' })
  if (handle.isNew) return { kind: 'started', taskId: handle.id }
  const { state } = await handle.status()
  return state === 'completed' ? { kind: state, taskId: handle.id, value: await handle.result() } : { kind: 'running', taskId: handle.id, state }
}

const RUNNING: readonly TaskState[] = ['running']

/** A task that is under way and is not found by `begin()` of the store. */
async function joinedBefore({ key, taskId }: { readonly key: string | undefined; readonly taskId: string | undefined }, join: readonly TaskState[]): Promise<string | undefined> {
  if (join.length === 0) return undefined
  const id = taskId ?? (key === undefined ? undefined : (await tasks.byKey(key))?.id)
  return id !== undefined && join.includes((await tasks.get(id).status()).state) ? id : undefined
}

function begin<A extends unknown[], R>(
  task: (...args: A) => Promise<R>,
  args: A | undefined,
  options: Omit<SendOptions, 'key' | 'join' | 'then' | 'onFailed'> & { readonly once: OneFlight | undefined },
): Promise<TaskHandle<R>> {
  if (typeof task === 'function') return enqueueOnce(() => task(...given(args)), options)
  throw new ErrandError('NOT_A_TASK', 'checkStatusOrBegin() got something that is not a task. Give it a task function, or a function that calls one task.')
}

/** Only of a task without parameters `args` are left out; one that has some is called as if with none. */
const given = <A extends unknown[]>(args: A | undefined): A => args ?? ([] as unknown[] as A)

const textOf = (text: ProcessText, id: string): string => (typeof text === 'function' ? text(id) : text)
