import type { Logger } from '../../core/logger.js'
import { outside } from '../../core/outside.js'

/**
 * Says when the event loop stood still for so long that the server has given this process up: its connections are closed then, and
 * what ran here runs again elsewhere, without any error that would name the reason. The answer ends the watch.
 */
export function watchEventLoop({ heartbeatSeconds, log }: { readonly heartbeatSeconds: number; readonly log: Logger }): () => void {
  // without heartbeats the server gives nobody up
  if (heartbeatSeconds === 0) return () => {}
  const limitMs = 2 * heartbeatSeconds * 1000
  const stepMs = limitMs / 8
  let last = performance.now()
  const look = (): void => {
    const now = performance.now()
    const blockedMs = now - last - stepMs
    last = now
    if (blockedMs < limitMs) return
    log.warn(
      `RabbitMQ: the event loop was blocked for ${(blockedMs / 1000).toFixed(1)} s, longer than the ${limitMs / 1000} s after which the server ` +
        `gives up a silent client: what ran here is run again. Long computations belong in a worker thread or in pieces.`,
    )
  }
  const timer = outside(() => setInterval(look, stepMs))
  // it is of use only as long as something else keeps the process going
  timer.unref()
  return () => clearInterval(timer)
}
