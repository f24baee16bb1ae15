/** Terminals and process managers may both send a signal for one stop. */
const SAME_STOP_MS = 300

/** Calls `stop` at the first SIGTERM or SIGINT; a later one ends the process at once. The answer takes that back. */
export function onStopSignals(stop: () => Promise<unknown>): () => void {
  let askedAt: number | undefined
  const asked = (): void => {
    const now = Date.now()
    if (askedAt === undefined) {
      askedAt = now
      // what stops tells by itself how it ended; a failure of it must not keep the process
      stop().catch(() => process.exit(1))
    } else if (now - askedAt > SAME_STOP_MS) process.exit(1)
  }
  process.on('SIGTERM', asked)
  process.on('SIGINT', asked)
  return () => {
    process.off('SIGTERM', asked)
    process.off('SIGINT', asked)
  }
}
