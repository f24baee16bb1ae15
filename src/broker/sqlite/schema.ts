import type { Schema } from '../../sqlite/migrate.js'

/**
 * The body of a message is written once and deleted once. Where the message stands is a small row that moves between three
 * tables: `ready` (in the order of delivery), `delayed` (in the order of falling due) and `claimed` (by owner), so that no
 * change of state rewrites a body, and taking the next messages reads the beginning of one index.
 */
const FIRST = `
CREATE TABLE broker_queue (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  name   TEXT NOT NULL UNIQUE,
  owner  INTEGER -- of a temporary queue
) STRICT;

CREATE TABLE broker_owner (
  number  INTEGER PRIMARY KEY AUTOINCREMENT,
  host    TEXT NOT NULL,
  pid     INTEGER NOT NULL,
  started TEXT NOT NULL,
  lease   INTEGER NOT NULL -- milliseconds since the epoch
) STRICT;

CREATE TABLE broker_message (
  seq  INTEGER PRIMARY KEY,
  id   TEXT NOT NULL,
  body BLOB NOT NULL
) STRICT;

CREATE TABLE broker_ready (
  queue   INTEGER NOT NULL,
  rank    INTEGER NOT NULL, -- 9 - priority
  seq     INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  crashes INTEGER NOT NULL,
  note    TEXT,
  PRIMARY KEY (queue, rank, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE broker_delayed (
  queue   INTEGER NOT NULL,
  due     INTEGER NOT NULL, -- milliseconds since the epoch
  seq     INTEGER NOT NULL,
  rank    INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  crashes INTEGER NOT NULL,
  note    TEXT,
  PRIMARY KEY (queue, due, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE broker_claimed (
  owner   INTEGER NOT NULL,
  seq     INTEGER NOT NULL,
  queue   INTEGER NOT NULL,
  rank    INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  crashes INTEGER NOT NULL,
  note    TEXT,
  PRIMARY KEY (owner, seq)
) STRICT, WITHOUT ROWID;
`

/** Every version of the broker's tables. A change is a new entry at the end. */
export const BROKER_SCHEMA: Schema = { part: 'broker', versions: [FIRST] }
