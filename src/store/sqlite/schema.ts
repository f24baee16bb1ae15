import type { Schema } from '../../sqlite/migrate.js'

/**
 * A row for each task: the columns that are searched by, and the whole record as JSON. `change` is the number of the transaction
 * that last changed it, so that a watcher reads what is new from the end of one index. The result stands last, where reading a row
 * without it does not touch it.
 */
const FIRST = `
CREATE TABLE store_task (
  namespace TEXT NOT NULL,
  id        TEXT NOT NULL,
  task      TEXT,
  queue     TEXT,
  state     TEXT NOT NULL,
  owner     TEXT,
  tenant    TEXT,
  key       TEXT,
  parent    TEXT,
  tags      TEXT NOT NULL, -- a JSON array
  created   INTEGER NOT NULL, -- milliseconds since the epoch, as all times
  due       INTEGER,
  expires   INTEGER,
  change    INTEGER NOT NULL,
  words     TEXT NOT NULL,
  record    TEXT NOT NULL,
  result    TEXT,
  PRIMARY KEY (namespace, id)
) STRICT;
CREATE INDEX store_task_created ON store_task (namespace, created, id);
CREATE INDEX store_task_state ON store_task (namespace, state, created, id);
CREATE INDEX store_task_owner ON store_task (namespace, owner, created, id) WHERE owner IS NOT NULL;
CREATE INDEX store_task_change ON store_task (namespace, change);
CREATE INDEX store_task_expires ON store_task (expires) WHERE expires IS NOT NULL;

CREATE TABLE store_key (
  namespace TEXT NOT NULL,
  key       TEXT NOT NULL,
  id        TEXT NOT NULL,
  PRIMARY KEY (namespace, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX store_key_id ON store_key (namespace, id);

CREATE TABLE store_change (number INTEGER NOT NULL) STRICT; -- one row: the last number
INSERT INTO store_change VALUES (0);
`

/** Every version of the store's tables. A change is a new entry at the end. */
export const STORE_SCHEMA: Schema = { part: 'store', versions: [FIRST] }
