import { ErrandError } from '../errors.js'
import { encodeValue } from './codec/encode.js'
import type { Context } from './context.js'
import type { FollowUp } from './follow-up.js'
import { instantOf, malformed, optionalInstantOf, optionalTextOf, textOf } from './seal/envelope.js'
import { frame, unframe, VERSION } from './seal/frame.js'
import { openEnvelope, Parts, type Opened, type PartsOptions } from './seal/parts.js'
import { refuseMisdirected, renewedCall, seeCall, type SeenCall } from './seen-call.js'

/** A call on its way out, before it is encoded. */
export interface CallMessage {
  readonly id: string
  readonly task: string
  /** JSON text of the arguments, as `encodeArguments` wrote it. */
  readonly args: string
  /** Who asked; `undefined` outside any request. */
  readonly context: Context | undefined
  /** States of the carriers by name, as `captureCarriers` gave them. */
  readonly carriers: Readonly<Record<string, unknown>> | undefined
  /** Milliseconds since the epoch. */
  readonly sentAt: number
  readonly expiresAt: number | undefined
  /** The queue where the caller waits for the outcome, if it does. */
  readonly replyTo: string | undefined
  /** What goes into the arguments where they were left open, as `givenOne` or `givenAll` wrote it. */
  readonly given?: string | undefined
  /** Calls that are made when this one has ended. @defaultValue none */
  readonly next?: readonly FollowUp[] | undefined
  /** Tells the messages of one call apart where it may have been sent more than once. */
  readonly copy?: string | undefined
}

/** A call that was opened: its seal, service, environment and age are right. */
export interface OpenedCall extends Omit<CallMessage, 'args' | 'given'> {
  /** Decodes the arguments. @throws ErrandError `VALUE_UNREADABLE` */
  readonly readArguments: () => unknown[]
}

/** What became of a call, sent back to a caller that waits. */
export type Outcome =
  | { readonly kind: 'completed'; readonly value: unknown }
  | { readonly kind: 'failed'; readonly error: unknown }

/** Writes and reads sealed messages; made by `createMessages`. */
export interface Messages {
  /** @throws ErrandError `VALUE_UNSERIALIZABLE` for a context that cannot travel, `PAYLOAD_TOO_LARGE` */
  sealCall(call: CallMessage): Buffer
  /**
   * @throws ErrandError `MESSAGE_MALFORMED`, `MESSAGE_TOO_NEW`, `MESSAGE_FORGED`, `MESSAGE_MISDIRECTED`, `MESSAGE_EXPIRED`,
   * `CONTEXT_UNRESTORABLE`
   */
  openCall(body: Buffer): OpenedCall
  /** @throws ErrandError `VALUE_UNSERIALIZABLE`, `PAYLOAD_TOO_LARGE` */
  sealOutcome(id: string, outcome: Outcome): Buffer
  /** @throws ErrandError as `openCall`, and `VALUE_UNREADABLE` */
  openOutcome(body: Buffer): { readonly id: string; readonly outcome: Outcome }
  /** What can be seen of a call, also of one that a worker would refuse. Never throws. */
  seeCall(body: Buffer): SeenCall
  /**
   * A copy of a call that may wait until `expiresAt`, in milliseconds since the epoch, or for ever.
   * @throws ErrandError `MESSAGE_MALFORMED`, `MESSAGE_TOO_NEW`, `MESSAGE_FORGED`
   */
  renewCall(body: Buffer, expiresAt: number | undefined): Buffer
}

/** What {@link createMessages} needs. */
export interface MessagesOptions extends PartsOptions {
  /** Bytes of one message, at most. */
  readonly payloadLimit: number
}

/**
 * Writes and reads sealed messages. A context is written once, when it is first sent: what changes inside its user afterwards
 * is not seen by further calls of the same request.
 */
export function createMessages(options: MessagesOptions): Messages {
  return new SealedMessages(options)
}

class SealedMessages implements Messages {
  readonly #options: MessagesOptions
  readonly #parts: Parts
  /** Service and environment as every envelope has them. */
  readonly #origin: string

  constructor(options: MessagesOptions) {
    this.#options = options
    this.#parts = new Parts(options)
    this.#origin = `"app":${JSON.stringify(options.app)},"env":${JSON.stringify(options.env)}`
  }

  sealCall(call: CallMessage): Buffer {
    const subject = `Cannot send ${call.task}`
    let text = `{"v":${VERSION},"kind":"call","id":${JSON.stringify(call.id)},"task":${JSON.stringify(call.task)}`
    text += `,${this.#origin},"at":${call.sentAt}`
    if (call.expiresAt !== undefined) text += `,"exp":${call.expiresAt}`
    if (call.replyTo !== undefined) text += `,"reply":${JSON.stringify(call.replyTo)}`
    if (call.copy !== undefined) text += `,"copy":${JSON.stringify(call.copy)}`
    text += this.#parts.writeArguments(call.args)
    if (call.given !== undefined) text += this.#parts.writeGiven(call.given)
    if (call.next !== undefined && call.next.length > 0) text += this.#parts.writeFollowUps(call.next)
    if (call.context !== undefined) text += this.#parts.writeContext(call.context, subject)
    if (call.carriers !== undefined) text += this.#parts.writeCarriers(call.carriers, subject)
    return this.#frame(`${text}}`, subject)
  }

  openCall(body: Buffer): OpenedCall {
    const envelope = this.#open(body, 'call')
    const { fields } = envelope
    const task = textOf(fields, 'task')
    const expiresAt = optionalInstantOf(fields, 'exp')
    if (expiresAt !== undefined && this.#options.clock.now() > expiresAt) throw expired(task, expiresAt)
    const call = {
      id: textOf(fields, 'id'),
      task,
      sentAt: instantOf(fields, 'at'),
      expiresAt,
      replyTo: optionalTextOf(fields, 'reply'),
      context: this.#parts.readContext(envelope),
      carriers: this.#parts.readCarriers(envelope),
      readArguments: this.#parts.readArguments(envelope),
    }
    // most calls have neither
    if (fields['copy'] === undefined && fields['next'] === undefined) return call
    return {
      ...call,
      ...(fields['copy'] === undefined ? {} : { copy: textOf(fields, 'copy') }),
      ...(fields['next'] === undefined ? {} : { next: this.#parts.readFollowUps(envelope) }),
    }
  }

  sealOutcome(id: string, outcome: Outcome): Buffer {
    const subject = `Cannot send the outcome of the call ${id}`
    const result =
      outcome.kind === 'completed'
        ? `"ok":${encodeValue(outcome.value, subject, 'the value')}`
        : `"err":${encodeValue(outcome.error, subject, 'the error')}`
    const start = `{"v":${VERSION},"kind":"reply","id":${JSON.stringify(id)},${this.#origin},"at":${this.#options.clock.now()}`
    return this.#frame(`${start}${this.#parts.writeResult(result)}}`, subject)
  }

  openOutcome(body: Buffer): { readonly id: string; readonly outcome: Outcome } {
    const envelope = this.#open(body, 'reply')
    const id = textOf(envelope.fields, 'id')
    const { fields, decode } = this.#parts.readResult(envelope)
    const isCompleted = Object.hasOwn(fields, 'ok')
    if (isCompleted === Object.hasOwn(fields, 'err')) throw malformed('it has not one outcome')
    return isCompleted
      ? { id, outcome: { kind: 'completed', value: decode(fields['ok']) } }
      : { id, outcome: { kind: 'failed', error: decode(fields['err']) } }
  }

  seeCall(body: Buffer): SeenCall {
    return seeCall(body, this.#parts, this.#options)
  }

  renewCall(body: Buffer, expiresAt: number | undefined): Buffer {
    return renewedCall(body, this.#options.keys, expiresAt)
  }

  #frame(envelope: string, subject: string): Buffer {
    const { keys, payloadLimit } = this.#options
    const bytes = frame(envelope, keys.sealing)
    if (bytes.length <= payloadLimit) return bytes
    throw new ErrandError(
      'PAYLOAD_TOO_LARGE',
      `${subject}: its message has ${bytes.length} bytes, and "payloadLimit" is ${payloadLimit}. ` +
        'Keep the large part where the worker can read it (a database, a file store) and send a reference to it.',
    )
  }

  #open(body: Buffer, kind: 'call' | 'reply'): Opened {
    const envelope = openEnvelope(unframe(body, this.#options.keys), kind)
    refuseMisdirected(envelope.fields, this.#options)
    return envelope
  }
}

function expired(task: string, expiresAt: number): ErrandError {
  return new ErrandError(
    'MESSAGE_EXPIRED',
    `A call of ${task} is refused: it could wait until ${new Date(expiresAt).toISOString()} and was not begun by then. ` +
      'Run more workers or raise "expires"; make the call again if it should still run.',
  )
}
