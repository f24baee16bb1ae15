import type { Clock } from '../core/clock.js'
import type { ErrandError } from '../errors.js'
import type { Database } from './driver.js'
import { unsafeFile } from './failure.js'
import { Flush } from './flush.js'
import { GroupCommit } from './group-commit.js'
import { migrateWithin, type Schema } from './migrate.js'
import { openDatabase } from './open.js'
import { QueueFile } from './queue-file.js'

export interface RoomOptions {
  readonly file: string
  readonly durability: 'full' | 'normal'
  readonly clock: Clock
}

/**
 * An open file that several parts of this process share: one connection, one writer, so that a message and what is known of its task
 * can be stored in one transaction. The parts know of the room, not of each other.
 */
export class Room {
  readonly file: string
  readonly durability: RoomOptions['durability']
  readonly db: Database
  readonly writer: GroupCommit
  /** Whether the file is still the one that was opened. */
  readonly opened: QueueFile
  readonly #flush: Flush | undefined
  readonly #onEnding = new Set<() => void>()
  readonly #onCommit = new Set<() => void>()
  readonly #onLost = new Set<(error: ErrandError) => void>()
  #shares = 1

  private constructor({ file, durability, clock }: RoomOptions, db: Database) {
    this.file = file
    this.durability = durability
    this.db = db
    this.opened = new QueueFile(file, clock, (error) => this.#onLost.forEach((tell) => tell(error)))
    this.#flush = durability === 'full' ? new Flush(file, (error) => this.opened.giveUp(unsafeFile(file, error))) : undefined
    this.writer = new GroupCommit(db, file, {
      flush: this.#flush,
      before: () => this.opened.check(),
      ending: () => this.#onEnding.forEach((write) => write()),
      after: () => this.#onCommit.forEach((tell) => tell()),
    })
  }

  /**
   * Opens a file; who opened it leaves it too.
   * @throws ErrandError what `openDatabase` throws
   */
  static async open(options: RoomOptions): Promise<Room> {
    // what makes it full is done by Flush
    return new Room(options, await openDatabase({ file: options.file, durability: 'normal' }))
  }

  /** The room once more, for a part that will leave it by itself. */
  share(): Room {
    this.#shares++
    return this
  }

  /**
   * Brings the tables of a part up to date.
   * @throws ErrandError `DRIVER_UNSUPPORTED` when a newer version of this library wrote the file, and what `submit` throws
   */
  async migrate(schema: Schema): Promise<void> {
    await this.writer.submit(() => migrateWithin(this.db, this.file, schema))
  }

  /** `write` is called at the end of each transaction, within it, and may change the database; the answer ends that. */
  onEnding(write: () => void): () => void {
    this.#onEnding.add(write)
    return () => this.#onEnding.delete(write)
  }

  /** `tell` is called after each commit, before the promises of its changes resolve; the answer ends that. */
  onCommit(tell: () => void): () => void {
    this.#onCommit.add(tell)
    return () => this.#onCommit.delete(tell)
  }

  /** `tell` is called when the file was found removed or replaced. */
  onLost(tell: (error: ErrandError) => void): () => void {
    this.#onLost.add(tell)
    return () => this.#onLost.delete(tell)
  }

  /** Waits for changes under way; the last to leave closes the file. Once for each share. */
  async leave(): Promise<void> {
    await this.writer.idle()
    if (--this.#shares > 0) return
    this.#flush?.close()
    this.db.close()
  }
}
