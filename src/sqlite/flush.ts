import { close, fdatasync, openSync } from 'node:fs'

/** Is told `undefined` where all went well. */
type Done = (error: unknown) => void

/** How long what nobody waits for may take, so that it goes to the disk together with something else. */
const SOON_MS = 10

/**
 * Brings the write-ahead log of an SQLite file to the disk, on a thread of the platform. SQLite would do it itself at the end of each commit
 * (`synchronous = FULL`, which differs from `NORMAL` in this flush alone: https://sqlite.org/pragma.html#pragma_synchronous); there it would
 * stop this process, and hold the lock of all others, for as long as the disk takes. A flush covers whatever any process has written to the
 * log before it begins, so one at a time is enough.
 */
export class Flush {
  readonly #log: string
  #descriptor: number | undefined
  #waiting: Done[] = []
  #isRunning = false
  #timer: NodeJS.Timeout | undefined
  #onIdle: (() => void)[] = []

  /** `file` is open in this process, and stays so until {@link close}: as long as it is, its log stands. */
  constructor(file: string) {
    this.#log = `${file}-wal`
  }

  /** Tells `done` when what has been committed so far is on the disk, or why nobody knows whether it is. */
  add(done: Done): void {
    this.#waiting.push(done)
    if (!this.#isRunning) this.#run()
  }

  /** What has been committed so far comes to the disk within some milliseconds. */
  soon(): void {
    this.#timer ??= setTimeout(() => this.add(nothing), SOON_MS).unref()
  }

  /** Resolves when everything that was asked for is over. */
  async idle(): Promise<void> {
    if (this.#timer !== undefined) this.add(nothing)
    if (this.#isRunning) await new Promise<void>((resolve) => this.#onIdle.push(resolve))
  }

  close(): void {
    clearTimeout(this.#timer)
    if (this.#descriptor !== undefined) close(this.#descriptor, () => {})
    this.#descriptor = undefined
  }

  #run(): void {
    this.#isRunning = true
    clearTimeout(this.#timer)
    this.#timer = undefined
    const told = this.#waiting
    this.#waiting = []
    const end = (error: unknown): void => {
      this.#isRunning = false
      if (this.#waiting.length > 0) this.#run()
      for (const done of told) done(error ?? undefined)
      if (!this.#isRunning) for (const tell of this.#onIdle.splice(0)) tell()
    }
    try {
      // Windows flushes only what may be written
      fdatasync((this.#descriptor ??= openSync(this.#log, 'r+')), end)
    } catch (error) {
      setImmediate(() => end(error))
    }
  }
}

const nothing = (): void => {}
