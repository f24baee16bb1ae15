import type { Context } from './context.js'

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
}

/** A call that was opened: its seal, service, environment and age are right. */
export interface OpenedCall extends Omit<CallMessage, 'args'> {
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
  /** @throws ErrandError `MESSAGE_MALFORMED`, `MESSAGE_TOO_NEW`, `MESSAGE_FORGED`, `MESSAGE_MISDIRECTED`, `MESSAGE_EXPIRED`, `CONTEXT_UNRESTORABLE` */
  openCall(body: Buffer): OpenedCall
  /** @throws ErrandError `VALUE_UNSERIALIZABLE`, `PAYLOAD_TOO_LARGE` */
  sealOutcome(id: string, outcome: Outcome): Buffer
  /** @throws ErrandError as `openCall`, and `VALUE_UNREADABLE` */
  openOutcome(body: Buffer): { readonly id: string; readonly outcome: Outcome }
}
