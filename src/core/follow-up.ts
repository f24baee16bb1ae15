import type { ResolvedCallOptions } from './task-options.js'
import { isRecord, malformed, optionalTextOf, textOf, type Envelope } from './seal/envelope.js'

/** How the call before must end for a follow-up to run; `ended` is any of completed, failed for good, and cancelled. */
export type FollowOn = 'completed' | 'failed' | 'ended'

/** A call that is made when another one has ended. It travels inside the message of that one. */
export interface FollowUp {
  readonly on: FollowOn
  /** Chosen when the first call was made, so that however often it is sent, it is one task. */
  readonly id: string
  readonly task: string
  /** JSON text of the arguments; a tag stands where the outcome goes. */
  readonly args: string
  readonly options: ResolvedCallOptions
  /** The queue where somebody waits for its outcome. */
  readonly replyTo?: string | undefined
  /** It follows all calls of a group, of which this is one. */
  readonly group?: FollowGroup | undefined
  /** What follows it. */
  readonly next: readonly FollowUp[]
}

/** Calls that are followed together; the one at `index` has the id that {@link memberId} makes. */
export interface FollowGroup {
  readonly size: number
  /** Whether the store knew all of them before the first was sent. */
  readonly isKnown: boolean
}

/** The id of a member of the group that is followed by `id`. */
export const memberId = (id: string, index: number): string => `${id}-${index}`

/** Whether something goes into these arguments; at worst it says so of some that hold the same word. */
export const leavesOpen = (args: string): boolean => args.includes('"given"')

/** JSON text of what is put into the arguments of a follow-up; `text` is an encoded value. */
export const givenOne = (text: string): string => `{"one":${text}}`

/** The same for a list of values that were encoded one by one. */
export const givenAll = (texts: readonly string[]): string => `{"all":[${texts.join(',')}]}`

/** The value that is put in. `decode` reads one encoded value. @throws ErrandError `MESSAGE_MALFORMED`, `VALUE_UNREADABLE` */
export function readGiven(value: unknown, decode: (parsed: unknown) => unknown): unknown {
  if (isRecord(value) && Object.hasOwn(value, 'one')) return decode(value['one'])
  if (isRecord(value) && Array.isArray(value['all'])) return value['all'].map((item) => decode(item))
  throw malformed('what was to be put into its arguments is neither a value nor a list')
}

/** JSON text of follow-ups. */
export function writeFollowUps(list: readonly FollowUp[]): string {
  return `[${list.map(writeFollowUp).join(',')}]`
}

/** @throws ErrandError `MESSAGE_MALFORMED` */
export function readFollowUps(value: unknown): readonly FollowUp[] {
  if (!Array.isArray(value)) throw malformed('its follow-ups are not a list')
  return value.map(readFollowUp)
}

function writeFollowUp({ on, id, task, args, options, replyTo, group, next }: FollowUp): string {
  const { queue, delayMs, priority, tags } = options
  const head = JSON.stringify({ on, id, task, queue, delayMs, priority, tags, reply: replyTo, group })
  const rest = next.length === 0 ? '' : `,"next":${writeFollowUps(next)}`
  return `${head.slice(0, -1)},"args":${args}${rest}}`
}

const WHEN: readonly unknown[] = ['completed', 'failed', 'ended'] satisfies FollowOn[]

function readFollowUp(fields: unknown): FollowUp {
  if (!isRecord(fields) || !isFollowOn(fields['on'])) throw malformed('a follow-up does not say what it follows')
  if (!Array.isArray(fields['args'])) throw malformed('the arguments of a follow-up are not a list')
  return {
    on: fields['on'],
    id: textOf(fields, 'id'),
    task: textOf(fields, 'task'),
    args: JSON.stringify(fields['args']),
    options: readOptions(fields),
    replyTo: optionalTextOf(fields, 'reply'),
    group: fields['group'] === undefined ? undefined : readGroup(fields['group']),
    next: fields['next'] === undefined ? [] : readFollowUps(fields['next']),
  }
}

function readOptions(fields: Envelope): ResolvedCallOptions {
  const { delayMs, priority, tags } = fields
  if (typeof delayMs !== 'number' || typeof priority !== 'number' || !isTexts(tags)) throw malformed('the options of a follow-up are not whole')
  return { queue: textOf(fields, 'queue'), delayMs, priority, tags }
}

function readGroup(group: unknown): FollowGroup {
  if (!isRecord(group) || typeof group['size'] !== 'number') throw malformed('the group of a follow-up has no size')
  return { size: group['size'], isKnown: group['isKnown'] === true }
}

const isFollowOn = (on: unknown): on is FollowOn => WHEN.includes(on)

const isTexts = (given: unknown): given is readonly string[] => Array.isArray(given) && given.every((text) => typeof text === 'string')
