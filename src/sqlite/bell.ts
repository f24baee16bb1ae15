import { closeSync, constants, openSync, watch, writeSync, type FSWatcher } from 'node:fs'

/**
 * A one-byte file beside the database: written after a commit, it wakes the processes that watch it. The log of the database
 * itself is no bell: it changes before the commit can be seen. A missed ring costs time only, consumers look by themselves as
 * well.
 */
export class Bell {
  readonly #path: string
  readonly #descriptor: number
  #watcher: FSWatcher | undefined

  constructor(path: string) {
    this.#path = path
    this.#descriptor = openForWriting(path)
  }

  ring(): void {
    try {
      writeSync(this.#descriptor, '.', 0)
    } catch {
      // a disk that is full; the consumers poll
    }
  }

  /** Calls `onRing` from now on, and keeps no process alive for it. */
  listen(onRing: () => void): void {
    if (this.#watcher !== undefined) return
    try {
      this.#watcher = watch(this.#path, { persistent: false }, onRing)
      this.#watcher.on('error', () => this.#unwatch())
    } catch {
      // no notification on this file system, or no more watches for this user; the consumers poll
    }
  }

  close(): void {
    this.#unwatch()
    closeSync(this.#descriptor)
  }

  #unwatch(): void {
    this.#watcher?.close()
    this.#watcher = undefined
  }
}

/** Appending would let the file grow, truncating would ring. */
function openForWriting(path: string): number {
  return openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600)
}
