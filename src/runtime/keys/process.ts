import type { TaskState } from '../../core/lifecycle.js'
import { ErrandError } from '../../errors.js'
import { tasks } from '../tasks.js'
import { checkedKey } from './once.js'

/** Which task is meant: that of an id, or the one for which a key stands. Where both are given, the id counts. */
export interface ProcessChoice {
  readonly key?: string | undefined
  readonly taskId?: string | undefined
}

/** A state, or `not started` for a key that stands for no task. An id of which nothing is known is `unknown`. */
export type ProcessStatus = TaskState | 'not started'

/**
 * Whether its body runs at this moment. One that waits does not, see {@link processIsPending}.
 * @throws ErrandError as all functions of this family: `CALL_INVALID` where neither key nor id is given, or nothing is kept
 * (`store: off`); `OPTION_INVALID` for a key that cannot be one; `STORE_UNREACHABLE`
 */
export async function processIsRunning(which: ProcessChoice): Promise<boolean> {
  return (await statusOf('processIsRunning()', which)) === 'running'
}

const PENDING: readonly ProcessStatus[] = ['scheduled', 'queued', 'retrying']

/** Whether it waits: for its time, for a worker, or for its next run. @throws as {@link processIsRunning} does */
export async function processIsPending(which: ProcessChoice): Promise<boolean> {
  return PENDING.includes(await statusOf('processIsPending()', which))
}

/** Whether it ended well. @throws as {@link processIsRunning} does */
export async function processIsComplete(which: ProcessChoice): Promise<boolean> {
  return (await statusOf('processIsComplete()', which)) === 'completed'
}

/** @throws as {@link processIsRunning} does */
export async function processIsRunningOrComplete(which: ProcessChoice): Promise<boolean> {
  const status = await statusOf('processIsRunningOrComplete()', which)
  return status === 'running' || status === 'completed'
}

/** How it stands. @throws as {@link processIsRunning} does */
export async function getProcessStatus(which: ProcessChoice): Promise<ProcessStatus> {
  return statusOf('getProcessStatus()', which)
}

/**
 * The value of its body; `undefined` while it has not ended, and where nothing is known of it. It does not wait.
 * @throws the error of the body where it failed, ErrandError `TASK_CANCELLED`, `RESULT_UNAVAILABLE`, and as {@link processIsRunning} does
 */
export async function getProcessResult(which: ProcessChoice): Promise<unknown> {
  const id = await idOf('getProcessResult()', which)
  if (id === undefined) return undefined
  const task = tasks.get(id)
  const { state } = await task.status()
  return state === 'completed' || state === 'failed' || state === 'cancelled' ? task.result() : undefined
}

/** The id of the task for which a key stands; `undefined` where it stands for none. @throws as {@link processIsRunning} does */
export async function getTaskIdFromKey(key: string): Promise<string | undefined> {
  return idOf('getTaskIdFromKey()', { key })
}

/**
 * The key with which a task was called, also where it stands for a later task by now.
 * @throws ErrandError `TASK_NOT_FOUND` where nothing is known of the task, or it has no key; and as {@link processIsRunning} does
 */
export async function getKeyFromTaskId(taskId: string): Promise<string> {
  const { key } = await tasks.get(taskId).status()
  if (key !== undefined) return key
  throw new ErrandError('TASK_NOT_FOUND', `There is no key of task ${taskId}: nothing is known of it, or it was called without one.`)
}

async function statusOf(where: string, which: ProcessChoice): Promise<ProcessStatus> {
  const id = await idOf(where, which)
  return id === undefined ? 'not started' : (await tasks.get(id).status()).state
}

async function idOf(where: string, { key, taskId }: ProcessChoice): Promise<string | undefined> {
  if (taskId !== undefined) return taskId
  if (key !== undefined) return (await tasks.byKey(checkedKey(where, key)))?.id
  throw new ErrandError('CALL_INVALID', `${where} got neither a key nor the id of a task. Give it one of them: { key } or { taskId }.`)
}
