import type { Task } from '../../core/task.js'
import type { OpenTransaction } from '../../core/transaction.js'
import { ErrandError } from '../../errors.js'
import type { TaskRecord } from '../../store/store.js'
import { createHandle, type TaskHandle } from '../handle.js'
import { OutcomeBox } from '../outcome-box.js'
import type { Runtime } from '../runtime.js'
import { sourceOf } from '../tracking/source.js'
import type { Tracking } from '../tracking/tracking.js'

/** What knows the tasks of keys. @throws ErrandError `CALL_INVALID` for a call that cannot have a key */
export function trackerForKey(tracking: Tracking | undefined, task: Task, within: OpenTransaction | undefined): Tracking {
  if (tracking === undefined) {
    throw refused(task, '"store: off" keeps nothing of what runs. Configure "store: sqlite" or a PostgreSQL URL')
  }
  if (!task.declaration.options.track) throw refused(task, 'its option "track: false" keeps nothing of what runs. Leave that away')
  if (within !== undefined) {
    throw refused(task, 'within a transaction nobody knows yet whether it is sent. Call it with the key after the commit, or without one')
  }
  return tracking
}

/** @throws ErrandError `CALL_INVALID` where the key stands for a task of another name: its value would not be of the expected type */
export function joinable(record: TaskRecord, task: Task, key: string): TaskRecord {
  const { task: name } = record
  if (name === undefined || name === task.name || task.declaration.options.aliases.includes(name)) return record
  const which = key.length > 60 ? `${key.slice(0, 60)}…` : key
  throw refused(task, `the key "${which}" stands for a task ${name}, ${record.id}. Begin the keys of each task with a word of its own`)
}

/** The handle of a task that a call joined; what becomes of it is told by the store. */
export function joinedHandle({ tracking }: Runtime, task: Task, { id, isReadOnce }: TaskRecord, timeoutMs: number): TaskHandle<unknown> {
  const source = sourceOf(() => trackerForKey(tracking, task, undefined), id)
  return createHandle({ id, task: task.name, box: new OutcomeBox(), source, timeoutMs, isReadOnce, isById: true })
}

const refused = (task: Task, why: string): ErrandError => new ErrandError('CALL_INVALID', `Cannot call ${task.name} with a key: ${why}.`)
