import { isTerminal } from '../../core/lifecycle.js'
import type { Process } from './processes.js'
import { standingOf } from './standing.js'
import type { Visit } from './visit.js'

/** Proxies let go of connections on which nothing is said for a minute, some sooner. */
const HEARTBEAT_MS = 15_000
/** After it the browser asks again, and whether it may is decided again. */
const LIFETIME_MS = 15 * 60_000
const RETRY_MS = 3_000

/**
 * How a process stands as server-sent events: now, after each change, and the end, with which the stream ends. Each event tells all that
 * is known, so that none that was missed matters.
 */
export function eventsOf({ exchange, texts, locale }: Visit, { id, handle }: Process): ReadableStream<Uint8Array> {
  const bytes = new TextEncoder()
  const stop = new AbortController()
  const end = (): void => stop.abort()
  let count = 0
  return new ReadableStream<Uint8Array>({
    start(stream) {
      const say = (text: string): void => stream.enqueue(bytes.encode(text))
      say(`retry: ${RETRY_MS}\n\n`)
      const heartbeat = setInterval(() => say(': still here\n\n'), HEARTBEAT_MS)
      const lifetime = setTimeout(end, LIFETIME_MS)
      exchange.request.signal.addEventListener('abort', end)
      if (exchange.request.signal.aborted) end()
      const tell = async (): Promise<void> => {
        for await (const status of handle.watch({ signal: stop.signal })) {
          if (stop.signal.aborted) return
          const standing = standingOf(status, texts, locale)
          say(`id: ${++count}\ndata: ${JSON.stringify({ ...standing, process_id: id })}\n\n`)
          if (isTerminal(status.state) || status.state === 'unknown') return
        }
      }
      const over = (): void => {
        clearInterval(heartbeat)
        clearTimeout(lifetime)
        exchange.request.signal.removeEventListener('abort', end)
        if (!stop.signal.aborted) stream.close()
        else closeQuietly(stream)
      }
      // where the store is away the stream ends; the page asks then, and hears why
      void tell().then(over, over)
    },
    cancel: end,
  })
}

/** Who went away has closed it already. */
function closeQuietly(stream: ReadableStreamDefaultController<Uint8Array>): void {
  try {
    stream.close()
  } catch {
    // closed
  }
}
