import type { TaskNote } from '../../core/context.js'
import { encodeValue } from '../../core/codec/encode.js'
import { ErrandError } from '../../errors.js'
import { LARGEST_PROGRESS } from '../../store/bounds.js'
import type { Run } from '../../core/run.js'
import type { Change, Progress } from '../../store/store.js'
import { reportStored } from './report-stored.js'
import type { Tracking } from './tracking.js'

/** Between two writes of one task's progress: people see no more, and a loop over a million items must not write as often. */
const PAUSE_MS = 200

/** The reports of one run: the first is written at once, later ones at most every 200 ms, and the last one always. */
export class ProgressReports {
  readonly #tracking: Tracking
  readonly #id: string
  readonly #run: Run
  #step = 0
  #last: Progress = { value: -1 }
  #waiting: Progress | undefined
  #isPausing = false
  #hasEnded = false

  constructor(tracking: Tracking, id: string, run: Run) {
    this.#tracking = tracking
    this.#id = id
    this.#run = run
  }

  /** @throws ErrandError `VALUE_UNSERIALIZABLE`, `PAYLOAD_TOO_LARGE` for data that cannot be kept */
  report(value: number | boolean, data: unknown): void {
    if (this.#hasEnded) return
    this.#say({ ...this.#last, value, data: data === undefined ? undefined : encodedData(data) })
  }

  /** What is left out stays as it was said before. */
  say(note: TaskNote): void {
    if (!this.#hasEnded) this.#say({ ...this.#last, ...note })
  }

  /** What was not written yet, to be written with the end of the run. */
  end(): Change | undefined {
    this.#hasEnded = true
    return this.#take()
  }

  #say(progress: Progress): void {
    this.#waiting = this.#last = progress
    if (!this.#isPausing) this.#write()
  }

  #write(): void {
    const change = this.#take()
    if (change === undefined || this.#hasEnded) return
    this.#isPausing = true
    void this.#tracking.record([change]).then((recorded) => reportStored(this.#id, recorded)) // neither rejects
    this.#tracking.after(PAUSE_MS, () => {
      this.#isPausing = false
      if (!this.#hasEnded) this.#write()
    })
  }

  #take(): Change | undefined {
    const progress = this.#waiting
    if (progress === undefined) return undefined
    this.#waiting = undefined
    return { kind: 'progressed', id: this.#id, run: this.#run, at: this.#tracking.now(), step: ++this.#step, progress }
  }
}

function encodedData(data: unknown): string {
  const text = encodeValue(data, 'Cannot report the progress', 'the data')
  const bytes = Buffer.byteLength(text)
  if (bytes <= LARGEST_PROGRESS) return text
  throw new ErrandError('PAYLOAD_TOO_LARGE', `Cannot report the progress: its data has ${bytes} bytes, and ${LARGEST_PROGRESS} is the limit. Say less.`)
}
