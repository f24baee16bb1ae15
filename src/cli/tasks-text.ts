import type { TaskAttempt, TaskFailure, TaskStatus } from '../runtime/tracking/status.js'
import { ageOf, clean, cut, timeOf, USUAL_WIDTH, wrapped } from './terminal-text.js'

const ID_WIDTH = 36
const STATE_WIDTH = 9
const AGE_WIDTH = 7

/** Tasks as a table, one line each. */
export function tableOf(tasks: readonly TaskStatus[], now: number, width = USUAL_WIDTH): string {
  const head = row({ id: 'ID', state: 'STATE', age: 'CALLED', task: 'TASK' }, width)
  return [head, ...tasks.map((status) => row({ ...status, age: ageOf(dateOf(status.createdAt), now), task: nameOf(status) }, width))].join('\n')
}

/** Everything that is known of a task. */
export function pageOf(status: TaskStatus, now: number): string {
  const { id, state, task, queue, owner, tenant, key, tags, parentId, createdAt, dueAt, endedAt, attempts } = status
  if (state === 'unknown') return wrapped('id', clean(id)).concat(wrapped('state', 'unknown: nothing is known of it, or nothing any more')).join('\n')
  const lines: [string, string | undefined][] = [
    ['id', id],
    ['task', task ?? 'not known'],
    ['state', state],
    ['progress', progressText(status)],
    ['error', status.error === undefined ? undefined : errorText(status.error)],
    ['queue', queue],
    ['user', owner],
    ['tenant', tenant],
    ['key', key],
    ['tags', tags.length === 0 ? undefined : tags.join(', ')],
    ['called by', parentId],
    ['called', timeOf(dateOf(createdAt), now)],
    ['due', dueAt === undefined ? undefined : timeOf(dateOf(dueAt), now)],
    ['ended', endedAt === undefined ? undefined : timeOf(dateOf(endedAt), now)],
    ...attempts.map((run, index): [string, string] => [index === 0 ? 'runs' : '', runText(run)]),
  ]
  return lines.flatMap(([label, text]) => (text === undefined ? [] : wrapped(label, clean(text)))).join('\n')
}

function row({ id, state, age, task }: { readonly id: string; readonly state: string; readonly age: string; readonly task: string }, width: number): string {
  const line = `${clean(id).padEnd(ID_WIDTH)}  ${state.padEnd(STATE_WIDTH)}  ${age.padEnd(AGE_WIDTH)}  ${clean(task)}`
  return id.length > ID_WIDTH ? line : cut(line, width)
}

function nameOf({ task = '?', progress, state }: TaskStatus): string {
  return state === 'running' && typeof progress.value === 'number' && progress.value >= 0 ? `${task} ${progress.value}%` : task
}

function progressText({ progress: { value, data } }: TaskStatus): string | undefined {
  const beside = data === null ? '' : ` ${JSON.stringify(data)}`
  if (value === true || value === false) return beside === '' ? undefined : beside.trim()
  return value < 0 ? undefined : `${value}%${beside}`
}

function runText({ attempt, startedAt, endedAt, worker, outcome, error }: TaskAttempt): string {
  const end = endedAt === undefined ? '' : ` in ${endedAt - startedAt} ms`
  const how = `${outcome ?? 'not ended'}${end}`
  return `${attempt} ${new Date(startedAt).toISOString()} ${worker.host} process ${worker.pid}: ${how}${error === undefined ? '' : `, ${errorText(error)}`}`
}

const errorText = ({ name, message, code }: TaskFailure): string => `${name}${code === undefined ? '' : ` ${code}`}: ${message}`

const dateOf = (at: number | undefined): Date | undefined => (at === undefined ? undefined : new Date(at))
