import { isTerminal, type TaskState } from '../../core/lifecycle.js'
import { ErrandError } from '../../errors.js'
import type { TaskRecord, Watch } from '../../store/store.js'
import { cancelTask, type CancelOptions, type CancelResult } from '../cancellation/cancel.js'
import type { OutcomeBox } from '../outcome-box.js'
import { recordedError } from './recorded-error.js'
import { statusOf, type TaskStatus } from './status.js'
import type { Tracking } from './tracking.js'

/** Where it is known how one task stands. */
export interface StatusSource {
  find(): Promise<TaskRecord | undefined>
  /** `onChange` is called after each change. */
  watch(onChange: () => void): Promise<Watch>
  /** Takes a result that can be read once; whether nobody had before. */
  take(): Promise<boolean>
  cancel(options?: CancelOptions): Promise<CancelResult>
}

/** What `open` answers. */
export const sourceOf = (open: () => Tracking | Promise<Tracking>, id: string): StatusSource => ({
  find: async () => (await open()).store.find({ id }),
  watch: async (onChange) => (await open()).store.watch([id], onChange),
  take: async () => {
    const [recorded] = await (await open()).store.record([{ kind: 'taken', id, at: Date.now() }])
    return recorded?.applied === true
  },
  cancel: async (options) => cancelTask(await open(), id, options),
})

/** What the maker of a call knows by itself: nothing but the outcome, when it has come, and `until` then. */
export function sourceOfBox(id: string, task: string, box: OutcomeBox, until: TaskState): StatusSource {
  const createdAt = Date.now()
  const known = { id, task, createdAt, changedAt: createdAt, tags: [], runs: [] }
  const find = async (): Promise<TaskRecord> => {
    const { outcome } = box
    if (outcome === undefined) return { ...known, state: until, progress: { value: -1 } }
    if (outcome.kind === 'completed') return { ...known, state: 'completed', progress: { value: true } }
    return { ...known, state: 'failed', progress: { value: -1 }, error: recordedError(outcome.error) }
  }
  return {
    find,
    take: async () => true,
    cancel: async () => {
      throw notCancellable(task)
    },
    watch: async (onChange) => {
      const stop = box.whenSettled(onChange)
      return { stop: async () => stop() }
    },
  }
}

function notCancellable(task: string): ErrandError {
  return new ErrandError(
    'CALL_INVALID',
    `Cannot cancel ${task}: nothing is kept of how it stands. Configure a store ("store: sqlite" or a PostgreSQL URL), and leave its option "track" at true.`,
  )
}

/** Any length does: the timer is only there to be there. */
const HOLD_MS = 60_000

/** How a task stands, now and after each change, until it has ended. */
export async function* changesOf(id: string, source: StatusSource, signal?: AbortSignal): AsyncGenerator<TaskStatus, void, void> {
  let wake: () => void = () => {}
  let isNews = true
  const tell = (): void => {
    isNews = true
    wake()
  }
  const watch = await source.watch(tell)
  signal?.addEventListener('abort', tell)
  // a store holds no process, and somebody waits here
  const hold = setInterval(() => {}, HOLD_MS)
  try {
    for (;;) {
      if (signal?.aborted === true) return
      isNews = false
      const status = statusOf(id, await source.find())
      yield status
      if (isTerminal(status.state)) return
      // what was told meanwhile is news; the loop goes on without a wait then
      if (!heard()) await new Promise<void>((resolve) => (wake = resolve))
    }
  } finally {
    clearInterval(hold)
    signal?.removeEventListener('abort', tell)
    await watch.stop()
  }

  function heard(): boolean {
    return isNews
  }
}
