import type { DeadLetter } from '../runtime/dead-letters/letter.js'
import { ageOf, clean, cut, timeOf, USUAL_WIDTH, wrapped } from './terminal-text.js'

const ID_WIDTH = 36
const AGE_WIDTH = 7
const RUNS_WIDTH = 4

/** Dead letters as a table; two lines each, so that it fits into 80 columns. */
export function tableOf(letters: readonly DeadLetter[], now: number, width = USUAL_WIDTH): string {
  const head = row({ id: 'ID', age: 'DIED', runs: 'RUNS', task: 'TASK' }, width)
  return [head, ...letters.flatMap((letter) => linesOf(letter, now, width))].join('\n')
}

function linesOf(letter: DeadLetter, now: number, width: number): string[] {
  const { id, queue, task, reason, attempt, diedAt, userId } = letter
  const where = [...(queue === 'default' ? [] : [`queue ${queue}`]), ...(userId === undefined ? [] : [`user ${userId}`])]
  const why = `  ${where.map((part) => `${part}, `).join('')}${reason.code}: ${withoutCode(reason.text)}`
  return [row({ id, age: ageOf(diedAt, now), runs: String(attempt), task: task ?? '?' }, width), cut(clean(why), width)]
}

function row({ id, age, runs, task }: { id: string; age: string; runs: string; task: string }, width: number): string {
  const line = `${clean(id).padEnd(ID_WIDTH)}  ${age.padEnd(AGE_WIDTH)}  ${runs.padStart(RUNS_WIDTH)}  ${clean(task)}`
  return id.length > ID_WIDTH ? line : cut(line, width)
}

/** Everything that is known of a dead letter. `values` are those of its arguments, where they are to be shown. */
export function pageOf(letter: DeadLetter, now: number, values?: readonly unknown[]): string {
  const { id, task, queue, reason, diedAt, sentAt, expiresAt, size, refusal } = letter
  const lines: [string, string][] = [
    ['id', id],
    ['task', task ?? 'not known'],
    ['queue', queue],
    ['reason', `${reason.code}: ${withoutCode(reason.text)}`],
    ['died', `${timeOf(diedAt, now)}, ${runsOf(letter)}`],
    ['sent', timeOf(sentAt, now)],
    ['expires', expiresAt === undefined ? 'never, or not known' : timeOf(expiresAt, now)],
    ...callerOf(letter),
    ...argumentsOf(letter, values),
    ['size', `${size} bytes`],
    ...historyOf(letter),
    ...(refusal === undefined ? [] : [['refused', `a worker would refuse it again. ${refusal.code}: ${refusal.text}`] as [string, string]]),
  ]
  return lines.flatMap(([label, text]) => wrapped(label, clean(text))).join('\n')
}

function callerOf({ userId, context }: DeadLetter): [string, string][] {
  if (context === undefined) return [['caller', 'outside any request, or not known']]
  const { method, url, requestId, clientAddress, headers, otherFields } = context
  const request = [method, url].filter((part) => part !== undefined).join(' ')
  const lines: [string, string | undefined][] = [
    ['user', userId ?? 'none, or without an id'],
    ['request', request === '' ? undefined : request],
    ['request id', requestId],
    ['client', clientAddress],
    ...listed('headers', Object.entries(headers).map(([name, value]) => `${name}: ${value}`)),
    ['context', otherFields.length === 0 ? undefined : `also ${otherFields.join(', ')}`],
  ]
  return lines.filter((line): line is [string, string] => line[1] !== undefined)
}

function argumentsOf({ argumentTypes }: DeadLetter, values: readonly unknown[] | undefined): [string, string][] {
  if (argumentTypes === undefined) return [['arguments', 'not known']]
  if (values === undefined || values.length === 0) return [['arguments', argumentTypes.join(', ') || 'none']]
  return listed('arguments', values.map((value, index) => `${argumentTypes[index] ?? '?'}: ${valueText(value)}`))
}

/** A value as it stands in the message; of an instance just the fields, its class is said beside it. */
function valueText(value: unknown): string {
  const isInstance = typeof value === 'object' && value !== null && Reflect.get(value, '$') === 'class'
  return JSON.stringify(isInstance ? Reflect.get(value, 'v') : value)
}

function historyOf({ history }: DeadLetter): [string, string][] {
  return listed('runs', history.map(({ attempt, at, name, code, message }) => {
    const when = at === undefined ? '' : ` ${at.toISOString()}`
    return `${attempt}${when} ${name}${code === undefined ? '' : ` ${code}`}: ${message}`
  }))
}

const listed = (label: string, texts: readonly string[]): [string, string][] => texts.map((text, index) => [index === 0 ? label : '', text])

function runsOf({ attempt, crashes }: DeadLetter): string {
  const runs = `after ${attempt} ${attempt === 1 ? 'run' : 'runs'}`
  return crashes === 0 ? runs : `${runs}, ${crashes} of which ended with the death of the worker`
}

/** Errors of this library name their class in front, which says nothing beside the code. */
const withoutCode = (text: string): string => text.replace(/^ErrandError: /, '')
