import { ErrandError } from '../errors.js'
import { redactText } from './redact.js'

/** A run of a message that did not end well, as its note keeps it. */
export interface FailedAttempt {
  /** Number of the run, from 1. */
  readonly attempt: number
  /** When it failed, ISO 8601; empty where the note does not say. */
  readonly at: string
  /** Name of the error's class. */
  readonly name: string
  readonly code?: string | undefined
  /** What the error said: secrets taken out, the beginning only. */
  readonly message: string
}

/** What the note of a message tells. Of one that is still being retried only `history` is known. */
export interface DeathNote {
  /** A code of `ERROR_CODES`; `TASK_FAILED` for an error of the body. */
  readonly code: string | undefined
  /** Why it is a dead letter, in a sentence. */
  readonly reason: string | undefined
  readonly task: string | undefined
  /** Number of the run that was the last. */
  readonly attempt: number | undefined
  readonly crashes: number | undefined
  /** When it died, ISO 8601. */
  readonly at: string | undefined
  /** The failed runs, the oldest first; the last ten of them. */
  readonly history: readonly FailedAttempt[]
}

/** A run that failed, to be written down. */
export interface Failure {
  readonly attempt: number
  /** Milliseconds since the epoch. */
  readonly nowMs: number
  readonly error: unknown
  /** Texts that must not stand in the note. */
  readonly secrets?: readonly string[] | undefined
}

/** How a message died. */
export interface Death extends Failure {
  readonly task: string | undefined
  readonly crashes: number
}

/** A note travels in the header of a message: the last failures tell what is to be known. */
const MOST_ATTEMPTS = 10
/** Bytes of a note at most; brokers cut off longer ones, and half a JSON text says nothing. */
const MOST_BYTES = 4_000
const LONGEST_REASON = 500
const LONGEST_MESSAGE = 200
const LONGEST_WORD = 100

/** The note of a message that is tried again: what `note` tells, and this failure. */
export const retryNote = (note: string | undefined, failure: Failure): string => write({}, historyOf(note, failure))

/** The note of a dead letter: why, when, after how many runs, and how those ended. */
export function deathNote(note: string | undefined, death: Death): string {
  const { error, task, attempt, crashes } = death
  const code = error instanceof ErrandError ? error.code : 'TASK_FAILED'
  const said = error instanceof Error ? `${error.name}: ${error.message}` : NO_ERROR
  const reason = redactText(said, death.secrets ?? []).slice(0, LONGEST_REASON)
  return write({ code, reason, task, attempt, crashes, at: isoOf(death.nowMs) }, historyOf(note, death))
}

/** Reads any note; one that is not in this form is the reason itself. Never throws. */
export function readNote(note: string | undefined): DeathNote {
  const fields = fieldsOf(note)
  const history: unknown = fields['history']
  return {
    code: textOf(fields['code']),
    reason: textOf(fields['reason']),
    task: textOf(fields['task']),
    attempt: numberOf(fields['attempt']),
    crashes: numberOf(fields['crashes']),
    at: textOf(fields['at']),
    history: Array.isArray(history) ? history.flatMap(readAttempt).slice(-MOST_ATTEMPTS) : [],
  }
}

const NO_ERROR = 'a value that is no error was thrown'

function historyOf(note: string | undefined, { attempt, nowMs, error, secrets = [] }: Failure): FailedAttempt[] {
  const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : undefined
  const failed: FailedAttempt = {
    attempt,
    at: isoOf(nowMs),
    name: error instanceof Error ? error.name.slice(0, LONGEST_WORD) : typeof error,
    ...(typeof code === 'string' ? { code: code.slice(0, LONGEST_WORD) } : {}),
    message: redactText(error instanceof Error ? error.message : NO_ERROR, secrets).slice(0, LONGEST_MESSAGE),
  }
  return [...readNote(note).history, failed].slice(-MOST_ATTEMPTS)
}

/** The JSON of `head` and as much of the end of `history` as there is room for. */
function write(head: object, history: readonly FailedAttempt[]): string {
  const text = JSON.stringify({ ...head, history })
  return history.length <= 1 || Buffer.byteLength(text) <= MOST_BYTES ? text : write(head, history.slice(1))
}

function fieldsOf(note: string | undefined): Readonly<Record<string, unknown>> {
  if (note === undefined || note === '') return {}
  try {
    const value: unknown = JSON.parse(note)
    // any object has fields to ask for
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  } catch {
    // written by something else, such as the broker itself
  }
  return { reason: note }
}

function readAttempt(value: unknown): FailedAttempt[] {
  if (typeof value !== 'object' || value === null) return []
  const { attempt, at, name, code, message } = value as Record<string, unknown> // as above
  if (typeof attempt !== 'number') return []
  const known = { attempt, at: textOf(at) ?? '', name: textOf(name) ?? 'Error', message: textOf(message) ?? '' }
  return [typeof code === 'string' ? { ...known, code } : known]
}

const isoOf = (ms: number): string => new Date(ms).toISOString()
const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined)
const numberOf = (value: unknown): number | undefined => (typeof value === 'number' ? value : undefined)
