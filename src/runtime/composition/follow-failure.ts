import type { OpenedCall } from '../../core/message.js'
import { ErrandError } from '../../errors.js'
import type { FailedRun } from '../failures.js'
import type { Runtime } from '../runtime.js'
import { followCall } from './follow.js'

/** What follows a call that failed for good, also where it was refused before any run. Answers as {@link followCall}. */
export async function followFailure(runtime: Runtime, failed: FailedRun): Promise<boolean> {
  const call = failed.call ?? expiredCall(runtime, failed)
  return call === undefined || followCall(runtime, call, { kind: 'failed', error: failed.error })
}

/** A call that is too old to run. What else was refused is not believed: its seal does not hold, or it is not for this service. */
function expiredCall({ messages }: Runtime, { delivery, error }: FailedRun): OpenedCall | undefined {
  if (!(error instanceof ErrandError) || error.code !== 'MESSAGE_EXPIRED') return undefined
  try {
    return messages.openCall(messages.renewCall(delivery.body, undefined))
  } catch {
    return undefined // its context cannot be restored: nothing can run as its caller
  }
}
