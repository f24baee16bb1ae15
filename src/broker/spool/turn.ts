import type { Database } from '../../sqlite/driver.js'
import { isBusy, sqliteFailure } from '../../sqlite/failure.js'
import { openDatabase } from '../../sqlite/open.js'

/**
 * Whose turn it is to empty the outbox, among the processes of this host: two at once would mix up its order. It is the write lock
 * of a file with nothing in it, which the system takes from a process that dies.
 */
export class Turn {
  readonly #db: Database
  readonly #file: string
  #isMine = false

  private constructor(db: Database, file: string) {
    this.#db = db
    this.#file = file
  }

  /** @throws ErrandError `BROKER_REFUSED`, `BROKER_UNREACHABLE`, `PACKAGE_MISSING`, `DRIVER_UNSUPPORTED` */
  static async open(file: string): Promise<Turn> {
    return new Turn(await openDatabase({ file, durability: 'normal' }), file)
  }

  /** Whether this process has the turn from now on; `false` where it is somebody's, also where it is this process's already. */
  take(): boolean {
    if (this.#isMine) return false
    try {
      this.#db.exec('BEGIN IMMEDIATE')
    } catch (error) {
      if (isBusy(error)) return false
      throw sqliteFailure('Cannot take turns', this.#file, error)
    }
    this.#isMine = true
    return true
  }

  release(): void {
    if (!this.#isMine) return
    this.#isMine = false
    this.#db.exec('ROLLBACK')
  }

  close(): void {
    this.release()
    this.#db.close()
  }
}
