import { createHash } from 'node:crypto'
import type { Delivery } from '../../broker/broker.js'
import { fieldOf, typeNameOf } from '../../core/codec/undecoded.js'
import { makeContext } from '../../core/context.js'
import type { SeenCall, SeenContext } from '../../core/seen-call.js'
import { ErrandError } from '../../errors.js'
import { readNote } from '../death-note.js'
import { refuseExpiredToken } from '../reverify.js'
import type { Runtime } from '../runtime.js'

/** A run of a task that failed. */
export interface FailedRun {
  /** Number of the run, from 1. */
  readonly attempt: number
  readonly at: Date | undefined
  /** Name of the error's class. */
  readonly name: string
  readonly code: string | undefined
  /** What the error said: secrets taken out, the beginning only. */
  readonly message: string
}

/** A message that nothing will run any more, unless it is sent again. What is not known is `undefined`. No secret is in it. */
export interface DeadLetter {
  /** Id of the call. One that came without an id gets a name made of its bytes, which begins with `body-`. */
  readonly id: string
  /** The queue it came from. */
  readonly queue: string
  readonly task: string | undefined
  /** Why it died: a code of {@link ErrandError} and a text for people. `TASK_FAILED` where the body threw. */
  readonly reason: { readonly code: string; readonly text: string }
  /** Number of its last run, from 1. */
  readonly attempt: number
  /** Of its runs, those that ended with the death of their process. */
  readonly crashes: number
  readonly diedAt: Date | undefined
  /** The runs that failed, the oldest first; the last ten of them. */
  readonly history: readonly FailedRun[]
  /** `id` of the user who asked. */
  readonly userId: string | undefined
  /** Who asked, without secrets; `undefined` for a call from outside any request, and where the message cannot be opened. */
  readonly context: RedactedContext | undefined
  /** Type of each argument, never its value: `['User', 'string']`. */
  readonly argumentTypes: readonly string[] | undefined
  readonly sentAt: Date | undefined
  readonly expiresAt: Date | undefined
  /** Bytes of the message. */
  readonly size: number
  /** Why a worker with the keys of this process would refuse it again. Such a letter is replayed only with `force`. */
  readonly refusal: { readonly code: string; readonly text: string } | undefined
}

/** A dead letter with the message itself. */
export interface DeadLetterWithBody extends DeadLetter {
  /** The bytes as they were sent. Encrypted parts are encrypted, everything else is as the caller wrote it. */
  readonly body: Buffer
}

/** A context without its secrets. */
export interface RedactedContext {
  readonly method: string | undefined
  /** Without query. */
  readonly url: string | undefined
  readonly requestId: string | undefined
  readonly clientAddress: string | undefined
  /** Values of secret headers are `***`. */
  readonly headers: Readonly<Record<string, string>>
  /** Names of what else the application put in. */
  readonly otherFields: readonly string[]
}

/** The dead letter that lies in `queue`'s dead-letter queue as `delivery`. */
export function letterOf(runtime: Runtime, queue: string, delivery: Delivery): DeadLetter {
  const seen = runtime.messages.seeCall(delivery.body)
  const note = readNote(delivery.note)
  const { context } = seen
  return {
    id: idOf(delivery),
    queue,
    task: seen.task ?? note.task,
    reason: { code: note.code ?? 'TASK_FAILED', text: note.reason ?? 'no reason was noted' },
    attempt: note.attempt ?? delivery.attempt,
    crashes: note.crashes ?? delivery.crashes,
    diedAt: readDate(note.at),
    history: note.history.map(({ attempt, at, name, code, message }) => ({ attempt, at: readDate(at), name, code, message })),
    userId: idText(fieldOf(context?.fields['user'], 'id')),
    context: context && redacted(context, new Set(runtime.settings.secretHeaders)),
    argumentTypes: seen.args?.map(typeNameOf),
    sentAt: dateOf(seen.sentAt),
    expiresAt: dateOf(seen.expiresAt),
    size: delivery.body.length,
    refusal: refusalOf(runtime, seen),
  }
}

/** The id of a message; one made of its bytes where a stranger sent it without. */
export function idOf({ id, body }: Delivery): string {
  return id === '' ? `body-${createHash('sha256').update(body).digest('hex').slice(0, 16)}` : id
}

function refusalOf({ settings, clock }: Runtime, seen: SeenCall): DeadLetter['refusal'] {
  const error = seen.refusal ?? (settings.reverify ? expiredToken(seen, clock.now()) : undefined)
  return error && { code: error.code, text: error.message }
}

function expiredToken({ task = 'a task', context }: SeenCall, now: number): ErrandError | undefined {
  try {
    refuseExpiredToken(task, makeContext({ headers: context?.headers ?? {} }), now)
    return undefined
  } catch (error) {
    return error instanceof ErrandError ? error : undefined
  }
}

function redacted({ headers, fields }: SeenContext, secretNames: ReadonlySet<string>): RedactedContext {
  const { user: _user, url, method, requestId, clientAddress, ...others } = fields
  return {
    method: textOf(method),
    url: textOf(url)?.replace(/[?#].*$/s, ''),
    requestId: textOf(requestId),
    clientAddress: textOf(clientAddress),
    headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, secretNames.has(name) ? '***' : value])),
    otherFields: Object.keys(others),
  }
}

const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined)

const idText = (id: unknown): string | undefined => (typeof id === 'string' || typeof id === 'number' ? String(id).slice(0, 100) : undefined)

function readDate(iso: string | undefined): Date | undefined {
  const date = new Date(iso ?? '')
  return Number.isNaN(date.getTime()) ? undefined : date
}

const dateOf = (ms: number | undefined): Date | undefined => (ms === undefined ? undefined : new Date(ms))
