import { ErrandError } from '../errors.js'
import { withoutUndefined } from './options.js'
import { isRecord, malformed, instantOf, optionalInstantOf, textOf, type Envelope } from './seal/envelope.js'
import { frame, unframe } from './seal/frame.js'
import type { KeyRing } from './seal/key-ring.js'
import { openEnvelope, type Opened, type Parts, type PartsOptions } from './seal/parts.js'

/**
 * What can be seen of a message without running it. Values are as they stand in the message, not decoded: that needs the classes
 * of the application, and this process may not have them.
 */
export interface SeenCall {
  /** Why a worker with these keys would refuse the message at any time; its age is not asked. `undefined`: it would open it. */
  readonly refusal: ErrandError | undefined
  readonly id?: string
  readonly task?: string
  /** Milliseconds since the epoch. */
  readonly sentAt?: number
  readonly expiresAt?: number
  /** Absent for a call from outside any request, and where it cannot be opened. */
  readonly context?: SeenContext
  readonly args?: readonly unknown[]
}

export interface SeenContext {
  /** The secret ones too: never to be shown as they are. */
  readonly headers: Readonly<Record<string, string>>
  /** The other fields. */
  readonly fields: Readonly<Record<string, unknown>>
}

/** Looks at a message. What its seal does not vouch for is not looked at. Never throws. */
export function seeCall(body: Buffer, parts: Parts, options: Pick<PartsOptions, 'keys' | 'app' | 'env'>): SeenCall {
  const refusals: ErrandError[] = []
  const tried = <T>(look: () => T): T | undefined => {
    try {
      return look()
    } catch (error) {
      // nothing else is thrown by what reads messages; a defect there is no property of this message
      refusals.push(error instanceof ErrandError ? error : malformed('it cannot be looked at'))
      return undefined
    }
  }
  const opened = tried(() => openEnvelope(unframe(body, options.keys), 'call'))
  if (opened === undefined) return { refusal: refusals[0] }
  const { fields } = opened
  tried(() => refuseMisdirected(fields, options))
  const seen = {
    id: tried(() => textOf(fields, 'id')),
    task: tried(() => textOf(fields, 'task')),
    sentAt: tried(() => instantOf(fields, 'at')),
    expiresAt: tried(() => optionalInstantOf(fields, 'exp')),
    args: tried(() => parts.parsedArguments(opened).value),
    context: tried(() => seenContext(opened, parts)),
  }
  return { refusal: refusals[0], ...withoutUndefined(seen) }
}

/** @throws ErrandError `MESSAGE_MISDIRECTED` */
export function refuseMisdirected(fields: Envelope, own: Pick<PartsOptions, 'app' | 'env'>): void {
  const app = textOf(fields, 'app')
  const env = textOf(fields, 'env')
  if (app === own.app && env === own.env) return
  throw new ErrandError(
    'MESSAGE_MISDIRECTED',
    `A message was sealed for ${app} in ${env}, this process is ${own.app} in ${own.env}. ` +
      'Give each service and each environment queues and keys of its own.',
  )
}

/**
 * A copy of a call that may wait until `expiresAt`, or for ever; everything else is as it was.
 * @throws ErrandError `MESSAGE_MALFORMED`, `MESSAGE_TOO_NEW`, `MESSAGE_FORGED`
 */
export function renewedCall(body: Buffer, keys: KeyRing, expiresAt: number | undefined): Buffer {
  const { exp: _old, ...fields } = openEnvelope(unframe(body, keys), 'call').fields
  return frame(JSON.stringify(expiresAt === undefined ? fields : { ...fields, exp: expiresAt }), keys.sealing)
}

function seenContext(opened: Opened, parts: Parts): SeenContext | undefined {
  const found = parts.parsedContext(opened)
  if (found === undefined || !isRecord(found.clear)) return undefined
  const { headers, ...fields } = found.clear
  return { headers: { ...textsIn(headers), ...textsIn(found.secret) }, fields }
}

function textsIn(headers: unknown): Record<string, string> {
  if (!isRecord(headers)) return {}
  return Object.fromEntries(Object.entries(headers).filter((entry): entry is [string, string] => typeof entry[1] === 'string'))
}
