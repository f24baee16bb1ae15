import type { ErrandError } from '../../errors.js'
import type { Watch } from '../../store/store.js'
import type { Tracking } from '../tracking/tracking.js'
import { cancelledError, noteOf } from './cancelled.js'

/** Before a store that is away is asked again. */
const PAUSE_MS = 2_000

/** Calls `onCancelled`, once, when a task is cancelled while it runs here. The answer ends that. */
export function watchRun(tracking: Tracking, id: string, onCancelled: (error: ErrandError) => void): () => void {
  let watch: Watch | undefined
  let isOver = false
  const look = async (): Promise<void> => {
    const record = isOver ? undefined : await tracking.store.find({ id })
    if (isOver || record?.state !== 'cancelled') return
    end()
    onCancelled(cancelledError(id, noteOf(record.error)))
  }
  const begin = async (): Promise<void> => {
    if (isOver) return
    try {
      watch ??= await tracking.store.watch([id], () => void look().catch(again))
      if (isOver) await watch.stop()
      else await look()
    } catch {
      again()
    }
  }
  const again = (): void => {
    if (!isOver) cancelTimer = tracking.after(PAUSE_MS, () => void begin())
  }
  const end = (): void => {
    isOver = true
    cancelTimer()
    void watch?.stop().catch(() => {}) // a store that is away tells nothing anyway
  }
  // most tasks have ended by then: they need not be watched
  let cancelTimer = tracking.patience.wait(() => void begin())
  return end
}
