import type { TaskState } from '../core/lifecycle.js'
import type { Run } from '../core/run.js'

/** A failure as it is kept: bounded, without a stack. Longer texts are cut. */
export interface RecordedError {
  readonly name: string
  readonly message: string
  readonly code?: string | undefined
  /** The whole error, encoded; the store does not look inside. Left out of the timeline, and where it is above 16 KiB. */
  readonly encoded?: string | undefined
}

/** How a run ended; absent while it runs, and where its process died. A run that is cancelled may go on for a while after that. */
export type RunOutcome = 'completed' | 'failed' | 'retrying' | 'released' | 'cancelled'

/** A run in the timeline of a task. */
export interface RecordedRun extends Run {
  readonly endedAt?: number | undefined
  readonly outcome?: RunOutcome | undefined
  readonly error?: RecordedError | undefined
  /** The number of the last report of its progress. */
  readonly step?: number | undefined
}

export interface Progress {
  /** What the task said: a number, or `true` for done; -1 stands for none. */
  readonly value: number | boolean
  /** Encoded; the store does not look inside. 64 KiB at most. */
  readonly data?: string | undefined
  /** What it said for people to read; 2,000 characters at most, longer ones are cut. */
  readonly message?: string | undefined
  /** Where what it makes is to be found; 2,000 characters at most. */
  readonly link?: string | undefined
}

/** What is known of a call when it is made. */
export interface Announcement {
  readonly id: string
  readonly task: string
  readonly queue: string
  /** Milliseconds since the epoch, as all times here. */
  readonly createdAt: number
  /** The id of the user as whom it runs. */
  readonly owner?: string | undefined
  readonly tenant?: string | undefined
  readonly tags?: readonly string[] | undefined
  /** The task that made this call. */
  readonly parentId?: string | undefined
  /** Not to be run before this; such a task is `scheduled` until then. */
  readonly dueAt?: number | undefined
  /** Its result may be read once. @defaultValue false */
  readonly isReadOnce?: boolean | undefined
  /** Nothing is known of it any more from then on. @defaultValue kept for good */
  readonly expiresAt?: number | undefined
  /**
   * Its message is on its way until then; after that, unless it was `sent` or a run began, nobody knows whether there is one, and no
   * call joins it any more. Left out where message and announcement are one. @defaultValue its message is there
   */
  readonly sendingUntil?: number | undefined
  /** What whoever made the call wants to find with it; the store does not look inside. 64 KiB at most. */
  readonly memo?: string | undefined
}

interface Happened {
  readonly id: string
  readonly at: number
  /** Replaces the time at which the record expires. */
  readonly expiresAt?: number | undefined
}

interface InRun extends Happened {
  readonly run: Run
}

/** Something that happened to a task. */
export type Change =
  /** The call was made. */
  | ({ readonly kind: 'announced'; readonly key?: string | undefined } & Announcement)
  /** Its message is there: calls join it for as long as it has not ended. */
  | ({ readonly kind: 'sent' } & Happened)
  /** A worker began to run it. */
  | ({ readonly kind: 'started' } & InRun)
  /** `step` counts the reports of one run: a report that comes after a later one is passed over. */
  | ({ readonly kind: 'progressed'; readonly step: number; readonly progress: Progress } & InRun)
  /** The run failed, and another is to follow at `dueAt`. */
  | ({ readonly kind: 'retrying'; readonly error: RecordedError; readonly dueAt?: number | undefined } & InRun)
  /** The worker handed it back unfinished. */
  | ({ readonly kind: 'released' } & InRun)
  /** `result` is encoded; 1 MiB at most. */
  | ({ readonly kind: 'completed'; readonly result?: string | undefined } & InRun)
  /** It failed for good; without a run where it never ran (expired, refused). */
  | ({ readonly kind: 'failed'; readonly error: RecordedError; readonly run?: Run | undefined } & Happened)
  /** It failed for good, and its message is sent once more: it waits again, as a call of which nothing has run. */
  | ({ readonly kind: 'revived'; readonly sendingUntil?: number | undefined } & Happened)
  /** The result was read that may be read once: the first such change is applied, and nothing is known of the task any more. */
  | ({ readonly kind: 'taken' } & Happened)
  | ({ readonly kind: 'cancelled'; readonly error?: RecordedError | undefined } & Happened)

/** That a call was made, as a change. */
export type Announced = Extract<Change, { kind: 'announced' }>

/** What a store knows of a task. */
export interface TaskRecord extends Omit<Announcement, 'task' | 'queue' | 'tags'> {
  /** `undefined` while the call is known by its run only. */
  readonly task?: string | undefined
  readonly queue?: string | undefined
  readonly tags: readonly string[]
  readonly key?: string | undefined
  readonly state: TaskState
  readonly changedAt: number
  readonly endedAt?: number | undefined
  /** The timeline, in order; of very many runs the last 100. */
  readonly runs: readonly RecordedRun[]
  readonly progress: Progress
  /** Encoded; only of a completed task. */
  readonly result?: string | undefined
  /** When its message was sent once more after it had failed; its attempts are counted anew from then on. */
  readonly revivedAt?: number | undefined
  /** When its result was read that may be read once. */
  readonly takenAt?: number | undefined
  /** The last failure; of a completed task none. */
  readonly error?: RecordedError | undefined
}

/** What became of a change. */
export interface Recorded {
  /**
   * Whether it changed what is known. A change that is not allowed, or was there already, is passed over: of all reports that a task
   * completed, exactly one is applied.
   */
  readonly applied: boolean
  /** Where the task stands now. */
  readonly state: TaskState
}

export interface Begun {
  /** Whether `announcement` was stored; otherwise `record` is that of an earlier call. */
  readonly isNew: boolean
  readonly record: TaskRecord
}

/** Every condition that is given must hold. */
export interface Search {
  readonly states?: readonly TaskState[] | undefined
  readonly task?: string | undefined
  readonly queue?: string | undefined
  readonly owner?: string | undefined
  readonly tenant?: string | undefined
  readonly key?: string | undefined
  readonly tag?: string | undefined
  readonly parentId?: string | undefined
  /** Part of the id, task, key, owner, tags or the message of the error, in any case of letters. Nothing in it has a meaning. */
  readonly text?: string | undefined
  /** Made at this time or later. */
  readonly from?: number | undefined
  /** Made before this time. */
  readonly to?: number | undefined
  /** `next` of the page before. */
  readonly after?: string | undefined
  /** Records on a page, 500 at most. @defaultValue 50 */
  readonly limit?: number | undefined
}

export interface Page {
  /** The last made first, without their results. */
  readonly records: readonly TaskRecord[]
  /** Leads to the next page; absent on the last. */
  readonly next?: string | undefined
}

/** A running watch. */
export interface Watch {
  /** Nothing is told from now on. Safe twice. */
  stop(): Promise<void>
}

/**
 * What is known of tasks. A driver promises: what `record` and `begin` resolved with survives a crash of this process; changes are
 * applied by `applyChange` alone, so that the order in which late and repeated ones come changes nothing; a record is not seen from
 * the moment it expires.
 */
export interface Store extends AsyncDisposable {
  /**
   * Writes down changes, in their order, and answers what became of each. Either all are written or none.
   * @throws ErrandError `STORE_UNREACHABLE`, `STORE_REFUSED`, `STORE_CLOSED`, `PAYLOAD_TOO_LARGE`, `OPTION_INVALID`
   */
  record(changes: readonly Change[]): Promise<readonly Recorded[]>
  /**
   * Single flight: answers the task that `key` stands for where its state is among `join` and its message is not overdue
   * (`sendingUntil`); otherwise stores the announcement, for which the key stands from then on. Of any number of calls at once, in any processes, one stores its own.
   */
  begin(key: string, announcement: Announcement, join?: readonly TaskState[]): Promise<Begun>
  /** The record of a task, or of the task that a key stands for. */
  find(by: { readonly id: string } | { readonly key: string }): Promise<TaskRecord | undefined>
  search(search: Search): Promise<Page>
  /**
   * Calls `onChange` with the id of every task (or of those in `ids`) after it changed, in whichever process. Several changes in quick
   * succession may be told once; the last one always is. Resolves when everything from now on will be told.
   */
  watch(ids: readonly string[] | 'all', onChange: (id: string) => void): Promise<Watch>
  /** Removes what has expired; answers how many records. */
  expire(): Promise<number>
  /** Waits for writes under way and lets go of everything. Safe twice. */
  close(): Promise<void>
}

/** The states in which a call with the same key joins instead of starting. */
export const UNFINISHED: readonly TaskState[] = ['scheduled', 'queued', 'running', 'retrying']
