import type { Pool, PoolClient } from 'pg'
import { ErrandError } from '../errors.js'
import type { AroundHook } from '../runtime/around.js'
import { attachedTo, runWith } from '../runtime/attached.js'
import { withTransaction } from '../runtime/with-transaction.js'
import { isolationOf, notInTransaction, resolveTransactionOptions, runsIn, type TransactionPerTaskOptions } from './options.js'

export type { IsolationLevel, TransactionPerTaskOptions } from './options.js'

/**
 * A hook that runs every task in a transaction of its own: `BEGIN` before the body, `COMMIT` when it ends well, `ROLLBACK` when it throws.
 * The client goes back to the pool in any case. A commit that fails has failed the task, which is retried like after an error of its body.
 * @throws ErrandError `OPTION_INVALID`; a run fails with `TRANSACTION_ABORTED` when its body passed over a failed statement
 * @example
 * around(transactionPerTask(pool))
 */
export function transactionPerTask(pool: Pick<Pool, 'connect'>, options: TransactionPerTaskOptions = {}): AroundHook {
  const resolved = resolveTransactionOptions(options)
  return async (run, { task }) => {
    if (!runsIn(resolved, task)) return run()
    const client = await pool.connect()
    client.on('error', heard)
    const body = (): Promise<unknown> => runWith(CLIENT, client, () => (resolved.sendOnCommit ? withTransaction(client, run) : run()))
    let broken: Error | undefined
    try {
      await client.query(`BEGIN${isolationOf(resolved)}`)
      const value = await body()
      await commit(client, task)
      return value
    } catch (error) {
      broken = await rollBack(client)
      throw error
    } finally {
      client.removeListener('error', heard)
      client.release(broken)
    }
  }
}

/** The client on which the transaction of this task was begun; `undefined` where there is none: outside, and where bodies run inline. */
export function currentClient(): PoolClient | undefined {
  // only transactionPerTask() attaches anything under this key
  return attachedTo(CLIENT) as PoolClient | undefined
}

/**
 * The client on which the transaction of this task was begun.
 * @throws ErrandError `NOT_IN_TASK` where there is none; see {@link currentClient}
 */
export function taskClient(): PoolClient {
  return currentClient() ?? notInTransaction('taskClient()')
}

// the same for every copy of this module in a process
const CLIENT = Symbol.for('errand.pg.client')

/** A connection that breaks under a body would otherwise end the process; the next statement rejects with it anyway. */
const heard = (): void => {}

async function commit(client: PoolClient, task: string): Promise<void> {
  const { command } = await client.query('COMMIT')
  if (command === 'COMMIT') return
  throw new ErrandError(
    'TRANSACTION_ABORTED',
    `${task} is not done: a statement in its transaction had failed, its body went on, and PostgreSQL rolled everything back. ` +
      'Let the error of the statement through, or put what may fail between SAVEPOINT and ROLLBACK TO.',
  )
}

/** Why the client cannot be used any more, if so. */
async function rollBack(client: PoolClient): Promise<Error | undefined> {
  try {
    await client.query('ROLLBACK')
    return undefined
  } catch (error) {
    return error instanceof Error ? error : new ErrandError('TRANSACTION_ABORTED', 'The transaction could not be rolled back.')
  }
}
