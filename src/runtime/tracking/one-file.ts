import type { OutgoingMessage } from '../../broker/broker.js'
import type { TaskState } from '../../core/lifecycle.js'
import type { Run } from '../../core/run.js'
import type { Announcement, Begun, Change, Recorded } from '../../store/store.js'

/**
 * A store and a broker that share a file: what is done within one transaction is stored as a whole or not at all. The first three refuse at
 * once what is wrong in itself, and answer what is to be done within a transaction.
 */
export interface OneFile {
  /** @throws ErrandError `STORE_CLOSED`, `PAYLOAD_TOO_LARGE`, `OPTION_INVALID` */
  recording(changes: readonly Change[]): () => readonly Recorded[]
  /** See `Store.begin`. @throws as `recording` does */
  beginning(key: string, announcement: Announcement, join: readonly TaskState[]): () => Begun
  /** What it answers stores nothing where the queue of the message is a temporary one that is gone. @throws ErrandError `BROKER_CLOSED` */
  publishing(message: OutgoingMessage): () => boolean
  /**
   * Within a transaction of the broker: writes down that a run begins. Answers `false`, and writes nothing, where something else may be known
   * of its task than that it waits, or it is one of `except`.
   */
  beginRun(id: string, run: Run, except: ReadonlySet<string>): boolean
  /**
   * Runs `work` within a transaction, handed in at once, and resolves with its answer. It may run again after a roll-back.
   * @throws what `failed` makes of ErrandError `STORE_UNREACHABLE`, `STORE_REFUSED`: nothing was stored; or of `PUBLISH_TIMEOUT`: it is stored,
   * and may not survive a power cut
   */
  submit<T>(work: () => T, failed?: (error: unknown) => T | Promise<T>): Promise<T>
}

/** A message on its way, and how it goes by itself. */
export interface Sending {
  readonly message: OutgoingMessage
  /** @throws ErrandError what `publish` of the broker rejects with */
  readonly send: () => Promise<void>
}
