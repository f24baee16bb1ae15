import { isTerminal } from '../../core/lifecycle.js'
import type { Process } from './processes.js'
import { standingOf } from './standing.js'
import type { Visit } from './visit.js'

/** Times of a stream. */
interface EventTimes {
  readonly heartbeatMs: number
  readonly lifetimeMs: number
}

const TIMES: EventTimes = {
  // proxies let go of connections on which nothing is said for a minute, some sooner
  heartbeatMs: 15_000,
  // after it the browser asks again, and whether it may is decided again
  lifetimeMs: 15 * 60_000,
}

const RETRY_MS = 3_000

/**
 * How a process stands as server-sent events: now, after each change, and the end, with which the stream ends. Each event tells all that
 * is known, so that none that was missed matters.
 */
export function eventsOf({ exchange, texts, locale }: Visit, { id, handle }: Process, times = TIMES): ReadableStream<Uint8Array> {
  const bytes = new TextEncoder()
  const stop = new AbortController()
  const timers: NodeJS.Timeout[] = []
  const { signal } = exchange.request
  const end = (): void => {
    for (const timer of timers) clearTimeout(timer)
    signal.removeEventListener('abort', end)
    stop.abort()
  }
  const begin = (stream: ReadableStreamDefaultController<Uint8Array>): void => {
    const say = (text: string): void => stream.enqueue(bytes.encode(text))
    say(`retry: ${RETRY_MS}\n\n`)
    timers.push(setInterval(() => say(': still here\n\n'), times.heartbeatMs), setTimeout(end, times.lifetimeMs))
    signal.addEventListener('abort', end)
    if (signal.aborted) end()
    const tell = async (): Promise<void> => {
      let count = 0
      for await (const status of handle.watch({ signal: stop.signal })) {
        if (stop.signal.aborted) return
        say(`id: ${++count}\ndata: ${JSON.stringify({ ...standingOf(status, texts, locale), process_id: id })}\n\n`)
        if (isTerminal(status.state) || status.state === 'unknown') return
      }
    }
    const over = (): void => {
      end()
      closeQuietly(stream)
    }
    // where the store is away the stream ends; the page asks then, and hears why
    void tell().then(over, over)
  }
  return new ReadableStream<Uint8Array>({ start: begin, cancel: end })
}

/** Who went away has closed it already. */
function closeQuietly(stream: ReadableStreamDefaultController<Uint8Array>): void {
  try {
    stream.close()
  } catch {
    // closed
  }
}
