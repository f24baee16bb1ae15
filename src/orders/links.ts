import { toMs, type Duration } from '../core/duration.js'
import { ErrandError } from '../errors.js'
import type { Runtime } from '../runtime/runtime.js'

const PURPOSE = 'errand order'

/** Lets whoever has it follow and cancel one order until it expires. @throws ErrandError `OPTION_INVALID`, `KEY_MISSING` */
export function orderToken({ signer, clock }: Runtime, uuid: string, expires: Duration): string {
  if (signer === undefined) throw new ErrandError('KEY_MISSING', 'Cannot sign the address of an order: this process has no keys.')
  const until = Math.floor((clock.now() + toMs(expires, 'expires of a signed link')) / 1_000).toString(36)
  // the address has the id already
  return signer.sign(`${uuid}.${until}`, PURPOSE).slice(uuid.length + 1)
}

/** Whether `token` stands for that order now. */
export function isOrderToken({ signer, clock }: Runtime, uuid: string, token: string): boolean {
  const text = signer?.verify(`${uuid}.${token}`, PURPOSE) ?? ''
  const until = text.slice(uuid.length + 1)
  return /^[0-9a-z]{1,11}$/.test(until) && clock.now() < Number.parseInt(until, 36) * 1_000
}
