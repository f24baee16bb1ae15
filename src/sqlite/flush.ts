import { closeSync, fdatasync, fdatasyncSync, fstat, openSync, realpathSync } from 'node:fs'

/** Is told `undefined` where all went well. */
type Done = (error: unknown) => void

/** How long what nobody waits for may take, so that it goes to the disk together with something else. */
const SOON_MS = 10
/** After so long it is asked whether a flush waits for a thread of the pool, which the application may have filled, … */
const PATIENCE_MS = 50
/** … and if that is not answered either in this time, it is. */
const ANSWER_MS = 50

/**
 * Brings the write-ahead log of an SQLite file to the disk, on a thread of the platform. SQLite would do it itself at the end of each commit
 * (`synchronous = FULL`, which differs from `NORMAL` in this flush alone: https://sqlite.org/pragma.html#pragma_synchronous); there it would
 * stop this process, and hold the lock of all others, for as long as the disk takes. A flush covers whatever any process has written to the
 * log before it begins, so one at a time is enough. Where the pool of threads is full, it is flushed here after all.
 *
 * After one that failed none succeeds: what was not written breaks the chain of all that follows in the log, and the system tells it once
 * (https://wiki.postgresql.org/wiki/Fsync_Errors).
 */
export class Flush {
  readonly #log: string
  readonly #onFailure: (error: unknown) => void
  #descriptor: number | undefined
  #waiting: Done[] = []
  #isRunning = false
  #isClosed = false
  #failure: { readonly error: unknown } | undefined
  #timer: NodeJS.Timeout | undefined

  /** `file` is open in this process, and stays so until {@link close}: as long as it is, its log stands. */
  constructor(file: string, onFailure: (error: unknown) => void = () => {}) {
    // SQLite puts the log beside the file itself, not beside a link to it
    this.#log = `${realpathSync(file)}-wal`
    this.#onFailure = onFailure
  }

  /** Tells `done` when what has been committed so far is on the disk, or why nobody knows whether it is. */
  add(done: Done): void {
    const { error } = this.#failure ?? {}
    if (this.#failure !== undefined) return void setImmediate(() => done(error))
    this.#waiting.push(done)
    if (!this.#isRunning) this.#run()
  }

  /** What has been committed so far comes to the disk within some milliseconds. */
  soon(): void {
    this.#timer ??= setTimeout(() => this.add(nothing), SOON_MS).unref()
  }

  /** Resolves when everything is over that was asked for before. */
  async idle(): Promise<void> {
    if (this.#timer !== undefined || this.#isRunning) await new Promise<void>((resolve) => this.add(() => resolve()))
  }

  close(): void {
    this.#isClosed = true
    clearTimeout(this.#timer)
    if (this.#descriptor !== undefined) closeSync(this.#descriptor)
    this.#descriptor = undefined
  }

  #run(): void {
    this.#isRunning = true
    clearTimeout(this.#timer)
    this.#timer = undefined
    const told = this.#waiting
    this.#waiting = []
    let isOver = false
    const end = (error: unknown): void => {
      const wasOver = isOver
      isOver = true
      if (!wasOver) this.#end(told, error ?? undefined)
      // of one that was overtaken only a failure is news
      else if (error) this.#fail([], error)
    }
    try {
      // Windows flushes only what may be written
      flushSomewhere((this.#descriptor ??= openSync(this.#log, 'r+')), end)
    } catch (error) {
      setImmediate(() => end(error))
    }
  }

  #end(told: readonly Done[], error: unknown): void {
    this.#isRunning = false
    if (error !== undefined) return this.#fail(told, error)
    if (this.#failure !== undefined) return tell(told, this.#failure.error)
    if (this.#waiting.length > 0) this.#run()
    tell(told, undefined)
  }

  #fail(told: readonly Done[], error: unknown): void {
    const isFirst = this.#failure === undefined
    this.#failure ??= { error }
    tell([...told, ...this.#waiting.splice(0)], error)
    if (isFirst && !this.#isClosed) this.#onFailure(error)
  }
}

const nothing = (): void => {}

const tell = (all: readonly Done[], error: unknown): void => all.forEach((done) => done(error))

/** Tells `done` once, or twice where it was overtaken by a flush here. */
function flushSomewhere(descriptor: number, done: Done): void {
  let timer: NodeJS.Timeout | undefined
  const end = (error: unknown): void => {
    clearTimeout(timer)
    done(error)
  }
  const ask = (): void => {
    // it stands in the same line behind the flush: a disk that is slow does not keep it
    fstat(descriptor, () => clearTimeout(timer))
    timer = setTimeout(() => end(errorOf(() => fdatasyncSync(descriptor))), ANSWER_MS)
  }
  timer = setTimeout(ask, PATIENCE_MS)
  fdatasync(descriptor, end)
}

function errorOf(work: () => void): unknown {
  try {
    work()
    return undefined
  } catch (error) {
    return error
  }
}
