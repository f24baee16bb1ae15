import type { Delivery, Verdict } from '../../src/broker/broker.js'
import type { WorkerInstructions } from '../supervisor/protocol.js'

/**
 * What a worker and its lanes say to each other. Everything carries the key `lane`, since modules of the application may use the channel
 * for words of their own.
 */
export type ToLane =
  /** The answer to `hello`: load the services. */
  | ({ readonly lane: 'open' } & WorkerInstructions)
  | { readonly lane: 'run'; readonly delivery: Delivery }
  /** Abort the signal of what runs. */
  | { readonly lane: 'abort'; readonly code: AbortCode; readonly why: string }
  /** Close everything and end. */
  | { readonly lane: 'close' }

export type FromLane =
  /** The lane listens. */
  | { readonly lane: 'hello' }
  /** It has loaded the services. */
  | { readonly lane: 'ready' }
  /** It cannot load the services, and ends. */
  | { readonly lane: 'unloadable'; readonly why: string }
  /** What ran has this verdict; the lane uses so many megabytes. */
  | { readonly lane: 'settled'; readonly verdict: Verdict; readonly memoryMb: number }
  /** The task `culprit`, or code outside of tasks, left an error that nothing caught: the lane ends. */
  | { readonly lane: 'dying'; readonly culprit: string | undefined; readonly why: string }
  | { readonly lane: 'log'; readonly level: LogLevel; readonly text: string }

/** Why a run is aborted: its time is over, it was cancelled, or the worker stops. */
export type AbortCode = (typeof ABORT_CODES)[number]
export type LogLevel = (typeof LEVELS)[number]

export const ABORT_CODES = ['TASK_TIMEOUT', 'TASK_CANCELLED', 'TASK_FAILED'] as const
const LEVELS = ['debug', 'info', 'warn', 'error'] as const

type Fields = Readonly<Record<string, unknown>>

/** What `message` says, if it is for a lane. */
export function readToLane(message: unknown): ToLane | undefined {
  const said = fieldsOf(message)
  switch (said['lane']) {
    case 'open':
    case 'close':
      return message as ToLane // only a worker writes these words, with a configuration that was validated
    case 'run': {
      const delivery = deliveryOf(fieldsOf(said['delivery']))
      return delivery === undefined ? undefined : { lane: 'run', delivery }
    }
    case 'abort': {
      const { code: given, why } = said
      const code = ABORT_CODES.find((known) => known === given)
      return code !== undefined && typeof why === 'string' ? { lane: 'abort', code, why } : undefined
    }
    default:
      return undefined
  }
}

/** What `message` says, if it is from a lane. */
export function readFromLane(message: unknown): FromLane | undefined {
  const said = fieldsOf(message)
  const { lane, why, text, level, culprit, memoryMb } = said
  if (lane === 'hello' || lane === 'ready') return { lane }
  if (lane === 'unloadable' && typeof why === 'string') return { lane, why }
  if (lane === 'log' && isLevel(level) && typeof text === 'string') return { lane, level, text }
  if (lane === 'dying' && typeof why === 'string') return { lane, why, culprit: typeof culprit === 'string' ? culprit : undefined }
  const verdict = verdictOf(fieldsOf(said['verdict']))
  if (lane === 'settled' && verdict !== undefined && typeof memoryMb === 'number') return { lane, verdict, memoryMb }
  return undefined
}

function deliveryOf({ id, queue, body, attempt, crashes, priority, note, begun }: Fields): Delivery | undefined {
  if (typeof id !== 'string' || typeof queue !== 'string' || !(body instanceof Uint8Array)) return undefined
  if (typeof attempt !== 'number' || typeof crashes !== 'number' || typeof priority !== 'number') return undefined
  // a Buffer arrives as the bytes that it is a view of
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
  const run = runOf(fieldsOf(begun))
  const more = { ...(typeof note === 'string' ? { note } : {}), ...(run === undefined ? {} : { begun: run }) }
  return { id, queue, body: bytes, attempt, crashes, priority, ...more }
}

function runOf({ attempt, startedAt, worker }: Fields): Delivery['begun'] {
  const { host, pid } = fieldsOf(worker)
  if (typeof attempt !== 'number' || typeof startedAt !== 'number' || typeof host !== 'string' || typeof pid !== 'number') return undefined
  return { attempt, startedAt, worker: { host, pid } }
}

function verdictOf({ kind, note, delayMs }: Fields): Verdict | undefined {
  if (kind === 'done' || kind === 'release') return { kind }
  if (kind === 'dead' && typeof note === 'string') return { kind, note }
  if (typeof delayMs !== 'number') return undefined
  if (kind === 'later') return { kind, delayMs }
  return kind === 'again' ? { kind, delayMs, ...(typeof note === 'string' ? { note } : {}) } : undefined
}

const isLevel = (level: unknown): level is LogLevel => LEVELS.some((known) => known === level)

const fieldsOf = (message: unknown): Fields => (typeof message === 'object' && message !== null ? (message as Fields) : {}) // any object has fields
