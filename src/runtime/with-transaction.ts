import { currentScope, runInScope, type Scope } from '../core/context.js'
import type { OpenTransaction, TransactionClient } from '../core/transaction.js'
import { ErrandError } from '../errors.js'

/**
 * Runs `fn`; every call of a task made in it is sent when the transaction of `client` commits, and never when it does not. Beginning
 * and ending the transaction stay with the application, and `fn` must await its calls.
 * @returns what `fn` answers
 * @throws ErrandError `TRANSACTION_INVALID` at once inside `enqueue()`, which has an option `within`; a call rejects with it where no
 * transaction was begun, where it has ended, and without the key `database`
 * @example
 * await client.query('BEGIN')
 * await withTransaction(client, () => mail.sendInvoice(order))
 * await client.query('COMMIT')
 */
export function withTransaction<T>(client: TransactionClient, fn: () => T | Promise<T>): Promise<T> {
  const outer = currentScope()
  if (outer?.intercept !== undefined) {
    throw new ErrandError('TRANSACTION_INVALID', 'withTransaction() was used inside enqueue(). Write enqueue(() => …, { within: client }).')
  }
  return runWithin({ client, isOpen: true }, outer, fn)
}

async function runWithin<T>(within: OpenTransaction, outer: Scope | undefined, fn: () => T | Promise<T>): Promise<T> {
  try {
    return await runInScope(new TransactionScope(outer, within), fn)
  } finally {
    // a call that nobody awaited must not be written on a connection that serves somebody else by then
    within.isOpen = false
  }
}

/** A request reads who asks only when that is wanted, so the scope inside of it does too. */
class TransactionScope implements Scope {
  readonly task: Scope['task']
  readonly attached: Scope['attached']
  readonly within: OpenTransaction
  readonly #outer: Scope | undefined

  constructor(outer: Scope | undefined, within: OpenTransaction) {
    this.#outer = outer
    this.task = outer?.task
    this.attached = outer?.attached
    this.within = within
  }

  get context(): Scope['context'] {
    return this.#outer?.context
  }
}
