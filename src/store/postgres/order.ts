import type { TaskState } from '../../core/lifecycle.js'
import type { Announcement, Begun, Change, Recorded, TaskRecord } from '../store.js'

/** What a caller wants written. */
export type Order =
  | { readonly kind: 'record'; readonly changes: readonly Change[] }
  | { readonly kind: 'begin'; readonly key: string; readonly announcement: Announcement; readonly join: readonly TaskState[] }

export type Answer = readonly Recorded[] | Begun

/** Where the rows are. */
export interface Place {
  readonly schema: string
  readonly namespace: string
  /** The channel on which watchers listen. */
  readonly channel: string
  now(): number
}

/** What an order comes to, unless somebody else wrote first. */
export interface Expected {
  readonly record: TaskRecord
  readonly recorded: readonly Recorded[]
}
