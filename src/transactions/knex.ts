import type { Knex } from 'knex'
import { ErrandError } from '../errors.js'
import type { AroundHook } from '../runtime/around.js'
import { attachedTo, runWith } from '../runtime/attached.js'
import { withTransaction } from '../runtime/with-transaction.js'
import { notInTransaction, resolveTransactionOptions, runsIn, type TransactionPerTaskOptions } from './options.js'

export type { IsolationLevel, TransactionPerTaskOptions } from './options.js'

/**
 * A hook that runs every task in a transaction of knex: begun before the body, committed when it ends well, rolled back when it throws;
 * its connection goes back to the pool in any case. A commit that fails has failed the task, which is retried like after an error of
 * its body.
 * @throws ErrandError `OPTION_INVALID`; a run fails with `TRANSACTION_ABORTED` when its body passed over a failed statement
 * @example
 * around(transactionPerTask(knex))
 */
export function transactionPerTask(knex: Pick<Knex, 'transaction'>, options: TransactionPerTaskOptions = {}): AroundHook {
  const resolved = resolveTransactionOptions(options)
  const config = resolved.isolation === undefined ? {} : { isolationLevel: resolved.isolation }
  return async (run, { task }) => {
    if (!runsIn(resolved, task)) return run()
    return knex.transaction(async (transaction) => {
      const body = (): Promise<unknown> => (resolved.sendOnCommit ? withTransaction(transaction, run) : run())
      const value = await runWith(TRANSACTION, transaction, body)
      if (!transaction.isCompleted()) await refuseAborted(transaction, task)
      return value
    }, config)
  }
}

/** The transaction of this task; `undefined` where there is none: outside, and where bodies run inline. */
export function currentTransaction(): Knex.Transaction | undefined {
  // only transactionPerTask() attaches anything under this key
  return attachedTo(TRANSACTION) as Knex.Transaction | undefined
}

/**
 * The transaction of this task.
 * @throws ErrandError `NOT_IN_TASK` where there is none; see {@link currentTransaction}
 */
export function taskTransaction(): Knex.Transaction {
  return currentTransaction() ?? notInTransaction('taskTransaction()')
}

// the same for every copy of this module in a process
const TRANSACTION = Symbol.for('errand.knex.transaction')
const IN_FAILED_TRANSACTION = '25P02'

/** PostgreSQL answers a commit of what has failed without an error, and knex does not look at it. */
async function refuseAborted(transaction: Knex.Transaction, task: string): Promise<void> {
  try {
    await transaction.raw('SELECT 1')
  } catch (cause) {
    if (!(cause instanceof Error) || Reflect.get(cause, 'code') !== IN_FAILED_TRANSACTION) throw cause
    throw new ErrandError(
      'TRANSACTION_ABORTED',
      `${task} is not done: a statement in its transaction had failed, and its body went on. ` +
        'Let the error of the statement through, or put what may fail into a nested transaction.',
      { cause },
    )
  }
}
