import type { Database } from '../../sqlite/driver.js'
import { prepareAll } from '../../sqlite/prepare.js'

/** Every statement of the broker, by what it does. */
export const prepareStatements = (db: Database) => prepareAll(db, SQL)

export type Statements = ReturnType<typeof prepareStatements>

const SQL = {
  findQueue: 'SELECT number, owner FROM broker_queue WHERE name = ?',
  addQueue: 'INSERT INTO broker_queue (name, owner) VALUES (?, ?)',
  temporaryQueues: 'SELECT number FROM broker_queue WHERE owner = ?',
  dropQueue: 'DELETE FROM broker_queue WHERE number = ?',

  // Node 22 binds NULL for no bytes, as its own SQLite hands them out
  addMessage: "INSERT INTO broker_message (id, body) VALUES (?, ifnull(?, x''))",
  addReady: 'INSERT INTO broker_ready VALUES (?, ?, last_insert_rowid(), ?, 0, NULL)',
  addDelayed: 'INSERT INTO broker_delayed VALUES (?, ?, last_insert_rowid(), ?, ?, 0, NULL)',

  nowDue: 'SELECT due, seq FROM broker_delayed WHERE queue = ? AND due <= ? ORDER BY due, seq LIMIT ?',
  copyDue: `INSERT INTO broker_ready SELECT queue, rank, seq, attempt, crashes, note FROM broker_delayed
            WHERE queue = ? AND (due, seq) <= (?, ?)`,
  deleteDue: 'DELETE FROM broker_delayed WHERE queue = ? AND (due, seq) <= (?, ?)',
  nextDue: 'SELECT due FROM broker_delayed WHERE queue = ? ORDER BY due LIMIT 1',

  hasReady: 'SELECT 1 FROM broker_ready WHERE queue = ? LIMIT 1',
  firstReady: `SELECT r.rank, r.seq, r.attempt, r.crashes, r.note, m.id, m.body
               FROM broker_ready r CROSS JOIN broker_message m ON m.seq = r.seq
               WHERE r.queue = ? ORDER BY r.rank, r.seq LIMIT ?`,
  claimReady: `INSERT INTO broker_claimed SELECT ?, seq, queue, rank, attempt, crashes, note FROM broker_ready
               WHERE queue = ? AND (rank, seq) <= (?, ?)`,
  deleteReady: 'DELETE FROM broker_ready WHERE queue = ? AND (rank, seq) <= (?, ?)',

  claimOne: `INSERT INTO broker_claimed SELECT ?, seq, queue, rank, attempt, crashes, note FROM broker_ready
             WHERE queue = ? AND rank = ? AND seq = ?`,

  readyPlaces: 'SELECT rank, seq FROM broker_ready WHERE queue = ? ORDER BY rank, seq LIMIT ?',
  readyAt: `SELECT r.rank, r.seq, r.attempt, r.crashes, r.note, m.id, m.body
            FROM broker_ready r CROSS JOIN broker_message m ON m.seq = r.seq WHERE r.queue = ? AND r.rank = ? AND r.seq = ?`,

  readyAfter: `SELECT r.rank, r.seq, r.attempt, r.crashes, r.note, m.id, m.body
               FROM broker_ready r CROSS JOIN broker_message m ON m.seq = r.seq
               WHERE r.queue = ? AND (r.rank, r.seq) > (?, ?) ORDER BY r.rank, r.seq LIMIT ?`,
  takeReady: 'DELETE FROM broker_ready WHERE queue = ? AND rank = ? AND seq = ?',
  dropMessage: 'DELETE FROM broker_message WHERE seq = ?',

  deleteDone: `DELETE FROM broker_message WHERE seq IN (
                 SELECT c.seq FROM json_each(?) j CROSS JOIN broker_claimed c ON c.owner = ? AND c.seq = j.value)`,
  unclaimDone: 'DELETE FROM broker_claimed WHERE owner = ? AND seq IN (SELECT value FROM json_each(?))',
  requeue: `INSERT INTO broker_ready SELECT queue, rank, seq, attempt + ?, crashes + ?, coalesce(?, note) FROM broker_claimed
            WHERE owner = ? AND seq = ?`,
  postpone: `INSERT INTO broker_delayed SELECT queue, ?, seq, rank, attempt + ?, crashes, coalesce(?, note) FROM broker_claimed
             WHERE owner = ? AND seq = ?`,
  bury: `INSERT INTO broker_ready SELECT ?, rank, seq, attempt, crashes, ? FROM broker_claimed
         WHERE owner = ? AND seq = ?`,
  unclaim: 'DELETE FROM broker_claimed WHERE owner = ? AND seq = ?',

  countReady: 'SELECT count(*) AS n FROM broker_ready WHERE queue = ?',
  countDelayed: 'SELECT count(*) AS n FROM broker_delayed WHERE queue = ?',

  addOwner: 'INSERT INTO broker_owner (host, pid, started, lease) VALUES (?, ?, ?, ?)',
  renewOwner: 'UPDATE broker_owner SET lease = ? WHERE number = ?',
  findOwner: 'SELECT 1 FROM broker_owner WHERE number = ?',
  allOwners: 'SELECT number, host, pid, started, lease FROM broker_owner',
  dropOwner: 'DELETE FROM broker_owner WHERE number = ?',
  requeueOwned: `INSERT INTO broker_ready SELECT queue, rank, seq, attempt + ?, crashes + ?, note FROM broker_claimed
                 WHERE owner = ?`,
  unclaimOwned: 'DELETE FROM broker_claimed WHERE owner = ?',
  dropMessages: `DELETE FROM broker_message WHERE seq IN (
                   SELECT seq FROM broker_ready WHERE queue = ? UNION ALL SELECT seq FROM broker_delayed WHERE queue = ?
                   UNION ALL SELECT seq FROM broker_claimed WHERE owner = ? AND queue = ?)`,
  dropReady: 'DELETE FROM broker_ready WHERE queue = ?',
  dropDelayed: 'DELETE FROM broker_delayed WHERE queue = ?',
  dropClaimed: 'DELETE FROM broker_claimed WHERE owner = ? AND queue = ?',

  dataVersion: 'PRAGMA data_version',
  ping: "SELECT version FROM errand_schema WHERE part = 'broker'",
} as const
