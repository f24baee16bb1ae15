import { currentScope, type TaskScope } from '../core/context.js'
import { isTerminal } from '../core/lifecycle.js'
import { ErrandError } from '../errors.js'
import { reportProgress } from './report-progress.js'
import { tasks } from './tasks.js'

/**
 * Says how far the running task is: percent, kept between 0 and 100 with one decimal, or `true`; and anything beside that can travel.
 * Others see it at once; of reports in quick succession, more than five a second, the last one. 100 does not mean that the task has
 * completed. With `withAsync: false` nobody sees it.
 * @throws ErrandError `NOT_IN_TASK` outside a task, `OPTION_INVALID`, and for the data `VALUE_UNSERIALIZABLE`, `PAYLOAD_TOO_LARGE`
 * @example
 * setProgress(40, { step: 'rendering' })
 */
export function setProgress(value: number | true, data?: unknown): void {
  reportProgress(runningTask('setProgress()'), value, data)
}

/**
 * Hands the items through and reports the progress of the running task: 0 before the first, then the share of `length` after each.
 * @param length how many there are, where `items` does not know it by its own `length` or `size`
 * @throws ErrandError `NOT_IN_TASK`, `OPTION_INVALID` where nobody knows how many there are
 * @example
 * for (const page of progressItems(pages)) await render(page)
 */
export function progressItems<T>(items: Iterable<T>, length?: number): Iterable<T>
export function progressItems<T>(items: AsyncIterable<T>, length: number): AsyncIterable<T>
export function progressItems<T>(items: Iterable<T> | AsyncIterable<T>, length?: number): Iterable<T> | AsyncIterable<T> {
  const task = runningTask('progressItems()')
  const count = length ?? sizeOf(items)
  if (count === undefined || !(count >= 0)) {
    throw new ErrandError('OPTION_INVALID', `progressItems() in ${task.name} cannot know how many items there are. Give it their number: progressItems(items, 100).`)
  }
  const report = (done: number): void => reportProgress(task, count === 0 ? 0 : (done * 100) / count, undefined)
  return Symbol.asyncIterator in items ? eachLater(items, report) : each(items, report)
}

/**
 * Runs `fn`; when it throws, the task fails for good with `message`, which people may read, and the error as its cause: no retry.
 * @returns what `fn` answers
 * @throws ErrandError `TASK_FAILED` with the error of `fn` as `cause`
 * @example
 * const rates = await failOnError('The exchange rates could not be had.', () => loadRates())
 */
export async function failOnError<T>(message: string, fn: () => T | Promise<T>): Promise<T> {
  try {
    return await fn()
  } catch (cause) {
    currentScope()?.task?.say?.({ message })
    throw new ErrandError('TASK_FAILED', message, { cause })
  }
}

/**
 * The progress of a task in the form of older systems: `[-1, null]` before its first report, `[value, data]` after it, and `null` when it
 * has ended, well or not, or is unknown. `tasks.get(id).status()` tells these apart.
 * @throws ErrandError `STORE_UNREACHABLE`, `CALL_INVALID` where nothing is kept
 */
export async function asyncProgress(id: string): Promise<readonly [number | boolean, unknown] | null> {
  const { state, progress } = await tasks.get(id).status()
  return state === 'unknown' || isTerminal(state) ? null : [progress.value, progress.data]
}

function runningTask(what: string): TaskScope {
  const task = currentScope()?.task
  if (task !== undefined) return task
  throw new ErrandError('NOT_IN_TASK', `${what} was called outside the body of a task. Ask isAsyncTask() first where both can be.`)
}

function* each<T>(items: Iterable<T>, report: (done: number) => void): Generator<T, void, void> {
  let done = 0
  report(done)
  for (const item of items) {
    yield item
    report(++done)
  }
}

async function* eachLater<T>(items: AsyncIterable<T>, report: (done: number) => void): AsyncGenerator<T, void, void> {
  let done = 0
  report(done)
  for await (const item of items) {
    yield item
    report(++done)
  }
}

function sizeOf(items: object): number | undefined {
  const size: unknown = Reflect.get(items, 'length') ?? Reflect.get(items, 'size')
  return typeof size === 'number' ? size : undefined
}
