import { deadQueueOf, type Delivery, type OutgoingMessage, type Visit } from '../../broker/broker.js'
import { refuseUnknownKeys, show } from '../../core/options.js'
import { registry } from '../../core/registry.js'
import { ErrandError } from '../../errors.js'
import type { Runtime } from '../runtime.js'
import { FILTER_KEYS, matcherOf, type DeadLetterFilter } from './filter.js'
import { letterOf, type DeadLetter, type DeadLetterWithBody } from './letter.js'

/** Which dead letters are meant: one id, several, or all that a filter lets through. */
export type DeadLetterChoice = string | readonly string[] | DeadLetterFilter

export interface DeadLetterListOptions extends DeadLetterFilter {
  /** So many at most. @defaultValue 100 */
  readonly limit?: number | undefined
  /** Go on behind the letter of this id, the last one of the list before. */
  readonly after?: string | undefined
  /** Letters of each queue that are looked at, at most; those behind them are neither counted nor filtered. @defaultValue all */
  readonly read?: number | undefined
  /** Told of each queue that has more letters than `read`. */
  readonly onUnread?: ((queue: string) => void) | undefined
}

export interface DiscardOptions {
  /** Only count. @defaultValue false */
  readonly dryRun?: boolean | undefined
}

export interface ReplayOptions extends DiscardOptions {
  /** Send also what a worker would refuse again. @defaultValue false */
  readonly force?: boolean | undefined
  /** The queue to send to; a worker must consume it. @defaultValue the one it came from */
  readonly to?: string | undefined
}

/** What a replay did, or with `dryRun` would do. */
export interface ReplayResult {
  /** Sent to their queue. */
  readonly replayed: number
  /** Of these, those that had expired: they were sealed again, and may wait as long as a new call. */
  readonly renewed: number
  /** Those that stay dead, because a worker would refuse them again. */
  readonly refused: readonly { readonly id: string; readonly code: string; readonly text: string }[]
}

export interface DiscardResult {
  readonly discarded: number
}

/**
 * The messages that nothing will run any more. Each operation is one pass over the dead-letter queues; what somebody else looks at
 * in the same moment may be passed over (on RabbitMQ all of the queue). Nothing gets lost when one is interrupted: a letter is dead
 * until it is in its queue (on RabbitMQ it can then be both, and is replayed twice if you replay it again).
 *
 * All throw ErrandError `OPTION_INVALID`, `BROKER_UNREACHABLE`, `BROKER_CLOSED`.
 */
export interface DeadLetters {
  /** Dead letters, the latest death first. */
  list(options?: DeadLetterListOptions): Promise<readonly DeadLetter[]>
  /** One of them, with its bytes. @throws ErrandError `DEAD_LETTER_UNKNOWN` */
  get(id: string): Promise<DeadLetterWithBody>
  /**
   * Sends messages to their queues again: same id, attempt 1. One that expired gets a new expiry; one that a worker would refuse
   * again (forged, malformed, of another service, of a newer version) stays dead without `force`. A message that dies again
   * meanwhile is not sent a second time. The state of what had failed is `queued` again.
   * @throws ErrandError `DEAD_LETTER_UNKNOWN` when an id is not there; the others were replayed; `STORE_UNREACHABLE`
   */
  replay(which: DeadLetterChoice, options?: ReplayOptions): Promise<ReplayResult>
  /** Removes messages for good. @throws ErrandError `DEAD_LETTER_UNKNOWN` when an id is not there; the others are gone */
  discard(which: DeadLetterChoice, options?: DiscardOptions): Promise<DiscardResult>
}

const LIST_LIMIT = 100

/** The dead letters that `runtime` can see. */
export const createDeadLetters = (runtime: Runtime): DeadLetters => ({
  list: (options) => list(runtime, options),
  get: (id) => get(runtime, id),
  replay: (which, options) => replay(runtime, which, options),
  discard: (which, options) => discard(runtime, which, options),
})

async function list(runtime: Runtime, options: DeadLetterListOptions = {}): Promise<readonly DeadLetter[]> {
  const { limit = LIST_LIMIT, after, read, onUnread, ...filter } = options
  const where = 'deadLetters.list()'
  refuseUnknownKeys(where, filter, [...FILTER_KEYS, 'limit', 'after', 'read', 'onUnread'])
  for (const [name, given] of Object.entries({ limit, read: read ?? 1 })) refuseUnlessCount(where, name, given)
  const isMeant = matcherOf(where, filter, runtime.clock.now())
  const found: DeadLetter[] = []
  const look: Look = (letter) => {
    if (isMeant(letter) || letter.id === after) found.push(letter)
    return KEEP
  }
  // as many always, whatever is found: brokers may put back what was looked at in another order
  for (const queue of await visitAll(runtime, filter.queue, look, read)) onUnread?.(queue)
  found.sort(byDeath)
  const start = after === undefined ? 0 : found.findIndex(({ id }) => id === after) + 1
  if (after !== undefined && start === 0) throw unknown([after])
  return found.slice(start).filter(isMeant).slice(0, limit)
}

/** The latest death first; those whose time is not known come last. Ids make the order the same every time. */
function byDeath(a: DeadLetter, b: DeadLetter): number {
  const difference = (b.diedAt?.getTime() ?? 0) - (a.diedAt?.getTime() ?? 0)
  if (difference !== 0) return difference
  return a.id < b.id ? -1 : Number(a.id > b.id)
}

async function get(runtime: Runtime, id: string): Promise<DeadLetterWithBody> {
  let found: DeadLetterWithBody | undefined
  await visitAll(runtime, undefined, (letter, { body }) => {
    if (letter.id !== id) return KEEP
    found = { ...letter, body }
    return STOP
  })
  if (found === undefined) throw unknown([id])
  return found
}

async function replay(runtime: Runtime, which: DeadLetterChoice, options: ReplayOptions = {}): Promise<ReplayResult> {
  const where = 'deadLetters.replay()'
  refuseUnknownKeys(where, options, ['dryRun', 'force', 'to'])
  const { dryRun = false, force = false, to } = options
  if (to !== undefined && !/^[\w-]{1,60}$/.test(to)) throw new ErrandError('OPTION_INVALID', `${where} takes the name of a queue as "to", got ${show(to)}.`)
  const result = { replayed: 0, renewed: 0, refused: [] as { id: string; code: string; text: string }[] }
  await visitChosen(runtime, where, which, async (letter, delivery) => {
    if (letter.refusal !== undefined && !force) {
      result.refused.push({ id: letter.id, ...letter.refusal })
      return KEEP
    }
    const now = runtime.clock.now()
    const isExpired = letter.expiresAt !== undefined && letter.expiresAt.getTime() < now
    const waitsUntil = isExpired ? newExpiry(runtime, now) : letter.expiresAt?.getTime()
    const body = isExpired ? runtime.messages.renewCall(delivery.body, waitsUntil) : delivery.body
    result.replayed++
    if (isExpired) result.renewed++
    if (dryRun) return KEEP
    // before the message can run: a run of a failed task would not count
    await runtime.tracking?.revive(letter.id, waitsUntil)
    return { kind: 'replace', message: firstAttempt(letter, delivery, body, to) }
  })
  return result
}

async function discard(runtime: Runtime, which: DeadLetterChoice, options: DiscardOptions = {}): Promise<DiscardResult> {
  const where = 'deadLetters.discard()'
  refuseUnknownKeys(where, options, ['dryRun'])
  let discarded = 0
  await visitChosen(runtime, where, which, () => {
    discarded++
    return options.dryRun === true ? KEEP : { kind: 'remove' }
  })
  return { discarded }
}

const newExpiry = ({ settings }: Runtime, now: number): number | undefined => (settings.expiresMs === 0 ? undefined : now + settings.expiresMs)

function firstAttempt({ id, queue }: DeadLetter, { priority }: Delivery, body: Buffer, to = queue): OutgoingMessage {
  return { id, queue: to, body, attempt: 1, priority }
}

type Look = (letter: DeadLetter, delivery: Delivery) => Visit | Promise<Visit>

const KEEP: Visit = { kind: 'keep' }
const STOP: Visit = { kind: 'stop' }

/** Visits the letters that are meant, each id once: one that dies again while this goes on is not met a second time. */
async function visitChosen(runtime: Runtime, where: string, which: DeadLetterChoice, look: Look): Promise<void> {
  const ids = idsOf(where, which)
  const filter = ids === undefined ? (which as DeadLetterFilter) : {} // what has no ids is a filter
  const matches = matcherOf(where, filter, runtime.clock.now())
  const met = new Set<string>()
  await visitAll(runtime, filter.queue, (letter, delivery) => {
    if (ids !== undefined && met.size === ids.size) return STOP
    const isMeant = ids === undefined ? matches(letter) : ids.has(letter.id)
    if (!isMeant || met.has(letter.id)) return KEEP
    met.add(letter.id)
    return look(letter, delivery)
  })
  const missing = [...(ids ?? [])].filter((id) => !met.has(id))
  if (missing.length > 0) throw unknown(missing)
}

function idsOf(where: string, which: DeadLetterChoice): ReadonlySet<string> | undefined {
  const given: unknown = typeof which === 'string' ? [which] : which
  if (Array.isArray(given) && given.length > 0 && given.every((id) => typeof id === 'string' && id !== '')) return new Set<string>(given)
  if (typeof given === 'object' && given !== null && !Array.isArray(given)) return undefined
  throw new ErrandError('OPTION_INVALID', `${where} takes an id, a list of ids or a filter ({} means all), got ${show(which)}.`)
}

/**
 * Visits the dead letters of a queue, or of all that this process knows of, until `look` says stop, and `most` of each queue. Answers
 * the queues that have more.
 */
async function visitAll(runtime: Runtime, only: string | undefined, look: Look, most = Infinity): Promise<readonly string[]> {
  const unread: string[] = []
  let isOver = false
  for (const queue of only === undefined ? knownQueues(runtime) : [only]) {
    let seen = 0
    await runtime.broker.browse(deadQueueOf(queue), async (delivery) => {
      seen += 1
      if (seen > most) unread.push(queue)
      const visit = seen > most ? STOP : await look(letterOf(runtime, queue, delivery), delivery)
      isOver = visit.kind === 'stop' && seen <= most
      return visit
    })
    if (isOver) break
  }
  return unread
}

function knownQueues({ settings }: Runtime): ReadonlySet<string> {
  const queuesOfTasks = registry.names().flatMap((name) => registry.find(name)?.declaration.options.queue ?? [])
  return new Set([...settings.worker.queues, ...queuesOfTasks])
}

function refuseUnlessCount(where: string, name: string, given: number): void {
  if (Number.isSafeInteger(given) && given >= 1) return
  throw new ErrandError('OPTION_INVALID', `${where} takes a whole number from 1 up as "${name}", got ${show(given)}.`)
}

function unknown(ids: readonly string[]): ErrandError {
  const named = ids.slice(0, 3).map(show).join(', ') + (ids.length > 3 ? `, and ${ids.length - 3} more` : '')
  return new ErrandError(
    'DEAD_LETTER_UNKNOWN',
    `No dead letter has the id ${named}: it was replayed or discarded, lies in a queue that is not under worker.queues, or somebody else looks at it just now. ` +
      'List them with `errand dead`.',
  )
}
