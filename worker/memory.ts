const CHECK_EVERY_MS = 1_000
const MEGABYTE = 1024 * 1024

export interface MemoryWatch {
  /** Resident memory, in megabytes, that must not be exceeded; 0 watches nothing. */
  readonly maxMb: number
  /** Called once, with the megabytes in use. */
  readonly onExceeded: (mb: number) => void
  /** Bytes of resident memory. @defaultValue that of this process */
  readonly read?: (() => number) | undefined
  /** @defaultValue 1000 */
  readonly everyMs?: number | undefined
}

/** Watches the memory of this process; the answer stops watching. */
export function watchMemory({ maxMb, onExceeded, read = () => process.memoryUsage.rss(), everyMs = CHECK_EVERY_MS }: MemoryWatch): () => void {
  if (maxMb === 0) return () => {}
  const timer = setInterval(() => {
    const mb = Math.round(read() / MEGABYTE)
    if (mb <= maxMb) return
    clearInterval(timer)
    onExceeded(mb)
  }, everyMs)
  timer.unref() // watching is no reason to stay
  return () => clearInterval(timer)
}
