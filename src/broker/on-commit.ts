import type { TransactionClient } from '../core/transaction.js'
import type { OutgoingMessage } from './broker.js'

/** Where messages wait for the commit of the application's own transaction. */
export interface OnCommit {
  /**
   * Writes `message` within the transaction of `client`. It is published after that commits, and never when it does not; messages of
   * one transaction leave in the order in which they were kept.
   * @throws ErrandError `TRANSACTION_INVALID`
   */
  keep(client: TransactionClient, message: OutgoingMessage): Promise<void>
}
