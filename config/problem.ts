import { ErrandError } from '../src/errors.js'

/** Where in a file a problem is. */
export interface Place {
  /** Name of the file as people see it, relative where that is shorter. */
  readonly file: string
  /** From 1. */
  readonly line: number
  /** From 1. */
  readonly column: number
  /** The text of that line, not yet masked. */
  readonly source: string
  /** The value in that line is known to be no secret. */
  readonly isOpen: boolean
}

/** One thing that is wrong with a configuration. */
export interface Problem {
  /** The key it is about, such as `worker.concurrency`; empty for the whole. */
  readonly key: string
  /** What is wrong and what to do. */
  readonly text: string
  readonly place: Place | undefined
}

const MOST_TOLD = 20
const LONGEST_EXCERPT = 120
/** Values that tell nothing: they may be shown whatever the key is. */
const HARMLESS = /^(["']?)(-?\d{1,10}(\.\d+)?\s*(ms|s|m|h|d|w|b|kb|mb)?|true|false|null|yes|no|on|off|~)?\1$/i
/** Keys whose values no message shows, nor what stands below them. */
export const SECRET_NAMES: ReadonlySet<string> = new Set(['key', 'keys', 'broker', 'url', 'urls', 'passphrase', 'database', 'store', 'secret'])
const KEY_AND_VALUE = /^(\s*(?:- +)*(["']?)([\w.-]{1,40})\2\s*:)(?:\s+(.*))?$/

/** One `CONFIG_INVALID` that tells all problems at once. */
export function configError(subject: string, problems: readonly Problem[], options?: ErrorOptions): ErrandError {
  const told = [...new Set(problems.map(describe))]
  const count = told.length === 1 ? 'a problem' : `${told.length} problems`
  const more = told.length > MOST_TOLD ? ['… and more; correct these first.'] : []
  const message = `${subject} has ${count}:\n${[...told.slice(0, MOST_TOLD), ...more].join('\n')}`
  return new ErrandError('CONFIG_INVALID', message, options)
}

/** A path as messages show it: `worker.queues[0]`. A name that is no plain name is not shown, it may be a misplaced secret. */
export function keyText(path: readonly PropertyKey[]): string {
  let shown = ''
  for (const part of path) {
    if (typeof part === 'number') shown += `[${part}]`
    else shown += `${shown === '' ? '' : '.'}${/^[\w-]{1,40}$/.test(String(part)) ? String(part) : '***'}`
  }
  return shown
}

function describe(problem: Problem): string {
  const head = problem.key === '' ? problem.text : `${problem.key}: ${problem.text}`
  if (problem.place === undefined) return head
  const { file, line, column, source, isOpen } = problem.place
  const excerpt = masked(printable(source), isOpen)
  const lines = [head, `  at ${file}:${line}:${column}`]
  if (excerpt.trim() !== '' && column <= LONGEST_EXCERPT) {
    lines.push(`    ${excerpt.slice(0, LONGEST_EXCERPT)}`)
    // below what is hidden it would point at nothing
    if (column <= excerpt.length + 1) lines.push(`    ${' '.repeat(column - 1)}^`)
  }
  return lines.join('\n')
}

/** The line without values that could be secret, and without its comment. */
function masked(line: string, isOpen: boolean): string {
  const body = line.replace(/(^|\s)#.*$/, '')
  const match = KEY_AND_VALUE.exec(body)
  if (isOpen && !/[{$]|:\/\//.test(body)) return body
  if (match === null) return body.replace(/\S.*$/, '***')
  const [, start = '', , name = '', value = ''] = match
  const isHarmless = !SECRET_NAMES.has(name) && HARMLESS.test(value.trim())
  return value === '' || isHarmless ? body : `${start} ***`
}

/** Tabs and control characters would move the caret or drive the terminal. */
const printable = (line: string): string => line.replaceAll(/\p{C}/gu, ' ')
