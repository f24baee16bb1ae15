import type { Broker, OutgoingMessage } from '../broker/broker.js'
import type { Clock } from '../core/clock.js'
import type { LastingTrouble } from '../core/lasting-trouble.js'
import type { Logger } from '../core/logger.js'
import type { Client } from '../store/postgres/client.js'
import { TABLE } from './schema.js'

/** Enough to keep a broker busy; a batch is in memory as a whole. */
const BATCH = 50
/** `errand` as a number, half of it: the other half of the lock is the namespace. */
const TURN = 0x6572726e

const TAKE_TURN = 'SELECT pg_try_advisory_xact_lock($1, hashtext($2)) AS mine'
const NEXT = `SELECT seq, id, queue, due, priority, body FROM ${TABLE}
  WHERE namespace = $1 AND seq > $2 AND queue <> ALL ($3) ORDER BY seq LIMIT ${BATCH} FOR UPDATE SKIP LOCKED`
const REMOVE = `DELETE FROM ${TABLE} WHERE seq = ANY ($1)`

export interface Move {
  readonly namespace: string
  /** Where they go. */
  readonly broker: Pick<Broker, 'publish'>
  readonly clock: Clock
  readonly log: Logger
  /** Of all passes: a broker that is away for hours would fill the log. */
  readonly trouble: LastingTrouble
}

/** As `pg` reads the columns: 64 bits are texts. */
interface Row {
  readonly seq: string
  readonly id: string
  readonly queue: string
  readonly due: string | null
  readonly priority: number
  readonly body: Buffer
}

/**
 * Publishes what is in the table, batch by batch; a message leaves it when the broker has confirmed it, so that one is published twice,
 * and never lost, when this process dies in between. One relay at a time has the turn, or two would mix up the order of one transaction.
 * @throws what `pg` rejects with
 */
export async function movePass(client: Client, move: Move): Promise<void> {
  const pass: Pass = { after: '0', stuck: new Set(), hasSent: false }
  while (await inTransaction(client, () => moveBatch(client, move, pass))) {
    // the next batch
  }
  const soFar = pass.hasSent && pass.stuck.size === 0 ? move.trouble.over() : ''
  if (soFar !== '') move.log.info(`Messages of committed transactions leave ${TABLE} again${soFar}.`)
}

interface Pass {
  /** The last row that was seen. */
  after: string
  /** Queues of which something was not taken: what comes later to them waits as well. */
  readonly stuck: Set<string>
  hasSent: boolean
}

/** Answers whether there may be more. */
async function moveBatch(client: Client, move: Move, pass: Pass): Promise<boolean> {
  const { rows: turn } = await client.query(TAKE_TURN, [TURN, move.namespace])
  // the column of the statement
  if (!(turn[0] as { mine: boolean }).mine) return false
  const { rows } = await client.query(NEXT, [move.namespace, pass.after, [...pass.stuck]])
  const batch = rows as readonly Row[] // the columns of the statement
  const isSent = await Promise.all(batch.map((row) => send(row, move, pass)))
  const sent = batch.filter((_row, index) => isSent[index] === true).map(({ seq }) => seq)
  if (sent.length > 0) await client.query(REMOVE, [sent])
  pass.after = batch.at(-1)?.seq ?? pass.after
  return batch.length === BATCH
}

/** The messages of a batch leave in one go: a connection keeps their order. */
async function send(row: Row, move: Move, pass: Pass): Promise<boolean> {
  try {
    await move.broker.publish(messageOf(row, move.clock.now()))
    pass.hasSent = true
    return true
  } catch (error) {
    if (!pass.stuck.has(row.queue)) tell(row, move, error)
    pass.stuck.add(row.queue)
    return false
  }
}

function tell({ id, queue }: Row, { log, trouble }: Move, error: unknown): void {
  const soFar = trouble.failed(queue)
  if (soFar !== undefined) log.warn(`Message ${id} of a committed transaction stays in ${TABLE} for now${soFar}. ${String(error)}`)
}

function messageOf({ id, queue, due, priority, body }: Row, now: number): OutgoingMessage {
  return { id, queue, body, priority, delayMs: due === null ? 0 : Math.max(0, Number(due) - now) }
}

async function inTransaction<T>(client: Client, work: () => Promise<T>): Promise<T> {
  // each statement has to see what the last turn removed, whatever the database is set to
  await client.query('BEGIN ISOLATION LEVEL READ COMMITTED')
  try {
    const value = await work()
    await client.query('COMMIT')
    return value
  } catch (error) {
    await client.query('ROLLBACK').catch(() => undefined)
    throw error
  }
}
