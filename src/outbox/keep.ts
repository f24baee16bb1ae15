import type { OutgoingMessage } from '../broker/broker.js'
import type { OnCommit } from '../broker/on-commit.js'
import type { Clock } from '../core/clock.js'
import type { TransactionClient } from '../core/transaction.js'
import { ErrandError } from '../errors.js'
import { CHANNEL, TABLE } from './schema.js'

/**
 * The row, and the word to the relays, which PostgreSQL passes on at the commit; both only in the transaction that is named. Where each
 * statement is a transaction of its own, none can be named beforehand, and nothing is kept.
 */
const KEEP = `WITH kept AS (
  INSERT INTO ${TABLE} (namespace, id, queue, due, priority, body)
  SELECT $1::text, $2::text, $3::text, $4::bigint, $5::smallint, $6::bytea WHERE txid_current()::text = $7::text
  RETURNING namespace
) SELECT txid_current()::text AS transaction, kept.namespace IS NOT NULL AS kept,
  CASE WHEN kept.namespace IS NOT NULL THEN pg_notify('${CHANNEL}', kept.namespace) END
FROM (SELECT 1) AS one LEFT JOIN kept ON true`
/** The values stand in the order of their numbers. */
const KEEP_RAW = KEEP.replaceAll(/\$\d/g, '?')

/** SQLSTATE of what is missing, and of what this user may not do. */
const MISSING = new Set(['42P01', '3F000'])
const FORBIDDEN = '42501'

/** @param namespace keeps services and environments that share a database apart */
export function createKeeper(namespace: string, clock: Clock): OnCommit {
  const turns = new WeakMap<object, Promise<unknown>>()
  const transactions = new WeakMap<object, string>()
  return {
    keep(client, message) {
      const due = message.delayMs === undefined || message.delayMs === 0 ? undefined : clock.now() + message.delayMs
      // a connection does one thing at a time, and the order of the calls is the order of the rows
      const turn = (turns.get(client) ?? Promise.resolve()).then(() => keep(client, { namespace, message, due }, transactions))
      turns.set(client, turn.catch(() => undefined))
      return turn
    },
  }
}

interface Row {
  readonly namespace: string
  readonly message: OutgoingMessage
  readonly due: number | undefined
}

/** The first message of a transaction takes two round trips: its number is in the answer that keeps nothing. Each further one takes one. */
async function keep(client: TransactionClient, row: Row, transactions: WeakMap<object, string>): Promise<void> {
  const { id, queue } = row.message
  const what = `Cannot keep message ${id} for "${queue}" until the transaction commits`
  for (let tries = 0; tries < 2; tries++) {
    const { kept, transaction } = await insert(client, row, transactions.get(client) ?? '').catch((error: unknown) => {
      throw refused(what, error)
    })
    transactions.set(client, transaction)
    if (kept) return
  }
  throw new ErrandError(
    'TRANSACTION_INVALID',
    `${what}: no transaction was begun on this connection. Give the client on which BEGIN was run, not a pool.`,
  )
}

interface Answer {
  readonly transaction: string
  readonly kept: boolean
}

async function insert(client: TransactionClient, { namespace, message, due }: Row, transaction: string): Promise<Answer> {
  const { id, queue, priority = 4, body } = message
  const values = [namespace, id, queue, due ?? null, priority, body, transaction]
  // a transaction of knex may have both, and means something else by `query`
  const answer = await ('raw' in client ? client.raw(KEEP_RAW, values) : client.query(KEEP, values))
  // the columns of the statement, in its one row
  return (rowsOf(answer)[0] as Answer | undefined) ?? { transaction, kept: false }
}

/** Clients of `pg` answer an object with rows, others the rows. */
function rowsOf(answer: unknown): readonly unknown[] {
  if (Array.isArray(answer)) return answer
  const rows: unknown = typeof answer === 'object' && answer !== null ? Reflect.get(answer, 'rows') : undefined
  return Array.isArray(rows) ? rows : []
}

function refused(what: string, cause: unknown): ErrandError {
  const state: unknown = cause instanceof Error ? Reflect.get(cause, 'code') : undefined
  const why =
    typeof state === 'string' && MISSING.has(state)
      ? `there is no table ${TABLE} in this database. Name the database of the application in "database", or run the SQL in docs/transactions.md.`
      : state === FORBIDDEN
        ? `this user may not. Run: GRANT USAGE ON SCHEMA errand TO <user>; GRANT INSERT ON ${TABLE} TO <user>`
        : `its connection failed (${typeof state === 'string' ? state : 'no code'}); see the cause. Roll back, and begin again.`
  return new ErrandError('TRANSACTION_INVALID', `${what}: ${why}`, { cause })
}
