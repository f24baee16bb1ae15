import { canMove, isTerminal, type TaskState } from '../core/lifecycle.js'
import { withoutUndefined } from '../core/options.js'
import { assertNever } from '../errors.js'
import type { Run } from '../core/run.js'
import type { Change, RecordedError, RunOutcome, TaskRecord } from './store.js'

/** Of a task that is run again and again, as many runs as a person reads. */
const MOST_RUNS = 100

type Happening = Exclude<Change, { kind: 'announced' }>
type Move = Exclude<Happening, { kind: 'taken' | 'revived' }>
/** A change that belongs to a run. */
type RunChange = Pick<Extract<Change, { kind: 'started' }>, 'id' | 'at' | 'run'> & {
  readonly kind: Change['kind']
  readonly error?: RecordedError | undefined
}

/**
 * The record after a change, or `undefined` where the change is passed over: it was there already, came too late, or is not allowed.
 * - An end is final: the first one counts, whatever comes after; but what failed may be sent once more, and begins anew then.
 * - A task completes by whichever run completes first; only its last run can fail it, hand it back, or report its progress.
 * - An announcement that comes late fills in what it knows, and moves nothing.
 */
export function applyChange(record: TaskRecord | undefined, change: Change): TaskRecord | undefined {
  const changed = change.kind === 'announced' ? announce(record, change) : happen(record, change)
  return changed === undefined ? undefined : withoutUndefined(changed)
}

/** What a state counts as at a time: a scheduled task that is due waits in its queue, without anybody having written that down. */
export function stateAt(record: TaskRecord, now: number): TaskState {
  return record.state === 'scheduled' && (record.dueAt ?? 0) <= now ? 'queued' : record.state
}

function happen(record: TaskRecord | undefined, change: Happening): TaskRecord | undefined {
  const known = record ?? blank(change.id, change.at)
  if (change.kind === 'taken') return take(known, change.at)
  if (change.kind === 'revived') return revive(known, change)
  if (isTerminal(known.state)) return undefined
  const changed = apply(known, change)
  return changed === undefined || change.expiresAt === undefined ? changed : { ...changed, expiresAt: change.expiresAt }
}

function apply(known: TaskRecord, change: Move): TaskRecord | undefined {
  switch (change.kind) {
    case 'sent':
      return known.sendingUntil === undefined ? undefined : { ...known, sendingUntil: undefined }
    case 'started':
      return start(known, change)
    case 'progressed':
      return progress(known, change)
    case 'retrying':
      return endLast(known, change, { to: 'retrying', more: { error: change.error, dueAt: change.dueAt } })
    case 'released':
      return endLast(known, change, { to: 'queued', more: {} })
    case 'completed':
      return complete(known, change)
    case 'failed':
      return fail(known, change)
    case 'cancelled':
      return move(cancelRun(known, change.at), 'cancelled', change.at, { error: change.error, endedAt: change.at })
    default:
      return assertNever(change)
  }
}

/**
 * What failed waits again; its runs stay in the timeline. The message of a dead letter that is sent once more is at hand, so that whatever
 * was written down but an end of another kind is out of date. A call that had to wait (`sendingUntil`) only fails unsent with the call before it.
 */
function revive(known: TaskRecord, { at, expiresAt, sendingUntil }: Extract<Change, { kind: 'revived' }>): TaskRecord | undefined {
  const hasDied = sendingUntil === undefined ? known.state !== 'unknown' && known.state !== 'completed' && known.state !== 'cancelled' : known.state === 'failed' && known.sendingUntil !== undefined
  if (!hasDied) return undefined
  const runs = known.runs.map((run) => (run.outcome === undefined ? { ...run, endedAt: at, outcome: 'failed' as const } : run))
  const anew = { error: undefined, endedAt: undefined, dueAt: undefined, progress: { value: -1 } }
  return { ...known, ...anew, runs, state: 'queued', changedAt: at, revivedAt: at, sendingUntil, expiresAt: expiresAt ?? known.expiresAt }
}

/** The one thing that happens after a good end. */
function take(known: TaskRecord, at: number): TaskRecord | undefined {
  if (known.state !== 'completed' || known.isReadOnce !== true || known.takenAt !== undefined) return undefined
  return { ...known, result: undefined, takenAt: at, expiresAt: at }
}

/** What is known of a task of which nothing is known. */
export function blank(id: string, at: number): TaskRecord {
  return { id, state: 'unknown', createdAt: at, changedAt: at, tags: [], runs: [], progress: { value: -1 } }
}

function announce(record: TaskRecord | undefined, change: Extract<Change, { kind: 'announced' }>): TaskRecord | undefined {
  if (record?.task !== undefined) return undefined
  const { kind: _kind, tags = [], expiresAt, dueAt, sendingUntil, ...told } = change
  const known = record ?? blank(change.id, change.createdAt)
  const isFirst = known.state === 'unknown'
  const isScheduled = dueAt !== undefined && dueAt > change.createdAt
  return {
    ...known,
    ...told,
    tags: [...tags],
    state: isFirst ? (isScheduled ? 'scheduled' : 'queued') : known.state,
    changedAt: isFirst ? change.createdAt : known.changedAt,
    dueAt: known.dueAt ?? dueAt,
    expiresAt: known.expiresAt ?? expiresAt,
    // what is known by its run has its message
    sendingUntil: isFirst ? sendingUntil : undefined,
  }
}

/** A run that is new: of the last attempt or a later one. Steps and progress begin again with it. */
function start(known: TaskRecord, { run, at }: Omit<RunChange, 'kind'>): TaskRecord | undefined {
  const last = known.runs.at(-1)
  // after a revival it has run for the first time when its attempts fall back
  const isAnew = last !== undefined && known.revivedAt !== undefined && last.endedAt !== undefined && last.endedAt <= known.revivedAt
  if (known.runs.some((other) => isSame(other, run)) || (last !== undefined && !isAnew && run.attempt < last.attempt)) return undefined
  const { attempt, startedAt, worker } = run
  const runs = [...known.runs, { attempt, startedAt, worker }].slice(-MOST_RUNS)
  return move(known, 'running', at, { runs, progress: { value: -1 }, dueAt: undefined, sendingUntil: undefined })
}

function progress(known: TaskRecord, change: Extract<Change, { kind: 'progressed' }>): TaskRecord | undefined {
  const current = inRun(known, change)
  const last = current?.runs.at(-1)
  if (current === undefined || last === undefined || change.step <= (last.step ?? -1)) return undefined
  const runs = [...current.runs.slice(0, -1), { ...last, step: change.step }]
  return { ...current, changedAt: change.at, progress: change.progress, runs }
}

/** The record with this run as the last and unfinished one, or `undefined` where it is over. A run not heard of begins with this. */
function inRun(known: TaskRecord, change: RunChange): TaskRecord | undefined {
  const last = known.runs.at(-1)
  if (last !== undefined && isSame(last, change.run)) return last.outcome === undefined ? known : undefined
  return start(known, { ...change, at: change.run.startedAt })
}

interface Ending {
  readonly to: TaskState
  readonly more: Partial<TaskRecord>
}

function endLast(known: TaskRecord, change: RunChange, { to, more }: Ending): TaskRecord | undefined {
  const current = inRun(known, change)
  return current === undefined ? undefined : move(endRun(current, change), to, change.at, more)
}

function complete(known: TaskRecord, change: Extract<Change, { kind: 'completed' }>): TaskRecord | undefined {
  const ended = endRun(inRun(known, change) ?? known, change)
  const value = ended.progress.value
  const whole = { ...ended.progress, value: typeof value === 'number' && value >= 0 ? 100 : true }
  return move(ended, 'completed', change.at, { result: change.result, error: undefined, progress: whole, endedAt: change.at })
}

function fail(known: TaskRecord, change: Extract<Change, { kind: 'failed' }>): TaskRecord | undefined {
  const more = { error: change.error, endedAt: change.at }
  const { run } = change
  return run === undefined ? move(known, 'failed', change.at, more) : endLast(known, { ...change, run }, { to: 'failed', more })
}

const OUTCOMES: Readonly<Partial<Record<Change['kind'], RunOutcome>>> = {
  retrying: 'retrying',
  released: 'released',
  completed: 'completed',
  failed: 'failed',
}

/** Writes the end of a run into the timeline. */
function endRun(record: TaskRecord, change: RunChange): TaskRecord {
  const end = { endedAt: change.at, outcome: OUTCOMES[change.kind], ...(change.error === undefined ? {} : { error: inBrief(change.error) }) }
  const runs = record.runs.map((run) => (isSame(run, change.run) ? { ...run, ...end } : run))
  return { ...record, runs }
}

/** Writes into the timeline that the run under way was cancelled. */
function cancelRun(known: TaskRecord, at: number): TaskRecord {
  const last = known.runs.at(-1)
  if (known.state !== 'running' || last === undefined) return known
  return { ...known, runs: [...known.runs.slice(0, -1), { ...last, endedAt: at, outcome: 'cancelled' }] }
}

function inBrief({ encoded: _encoded, ...error }: RecordedError): RecordedError {
  return error
}

function move(record: TaskRecord, to: TaskState, at: number, more: Partial<TaskRecord>): TaskRecord | undefined {
  if (record.state !== to && !canMove(record.state, to)) return undefined
  return { ...record, ...more, state: to, changedAt: at }
}

function isSame(one: Run, other: Run): boolean {
  const isSameWorker = one.worker.host === other.worker.host && one.worker.pid === other.worker.pid
  return one.attempt === other.attempt && one.startedAt === other.startedAt && isSameWorker
}
