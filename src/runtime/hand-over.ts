import type { OutgoingMessage } from '../broker/broker.js'
import type { OpenTransaction } from '../core/transaction.js'
import { ErrandError } from '../errors.js'
import type { Runtime } from './runtime.js'

/**
 * Gives a message to the broker, or to the transaction within which its call was made.
 * @throws ErrandError `TRANSACTION_INVALID`, and what `publish` of the broker rejects with
 */
export function handOver({ broker, onCommit }: Runtime, message: OutgoingMessage, within: OpenTransaction | undefined): Promise<void> {
  if (within === undefined) return broker.publish(message)
  if (!within.isOpen) return Promise.reject(ended())
  return onCommit === undefined ? Promise.reject(noDatabase()) : onCommit.keep(within.client, message)
}

/** A plain call that waits for a value which cannot come before the transaction ends. */
export function waitsForItself(task: string): ErrandError {
  return new ErrandError(
    'TRANSACTION_INVALID',
    `Cannot call ${task} within a transaction and wait for its value: it is sent when the transaction commits. ` +
      'Use background() and ask its handle for the result after the commit.',
  )
}

function ended(): ErrandError {
  return new ErrandError(
    'TRANSACTION_INVALID',
    'Cannot send a call within a transaction that has ended. Await every call inside the function of withTransaction().',
  )
}

function noDatabase(): ErrandError {
  return new ErrandError(
    'TRANSACTION_INVALID',
    'Cannot send a call within a transaction: nothing would publish it. Set "database" in async.config.yaml to the URL of the database.',
  )
}
