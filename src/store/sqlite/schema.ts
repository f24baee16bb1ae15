import type { Schema } from '../../sqlite/migrate.js'

/** A row for each task: the columns that are searched by, and the whole record as JSON. */
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

/**
 * A usual life, from the call to a good end, stands in the columns alone: each step is a small write that nothing is read for. Whatever else
 * happens to a task is kept as its whole record. What changed stands in a table of its own, a row for each transaction: in an index of the
 * tasks each change would cost two places. Rows are narrow, for a page is the least that is written. The result stands last, where reading a
 * row without it does not touch it.
 */
const SECOND = `
CREATE TABLE store_task_2 (
  namespace TEXT NOT NULL,
  id        TEXT NOT NULL,
  task      TEXT,
  queue     TEXT,
  state     TEXT NOT NULL,
  owner     TEXT,
  tenant    TEXT,
  key       TEXT,
  parent    TEXT,
  tags      TEXT NOT NULL,
  created   INTEGER NOT NULL,
  due       INTEGER,
  expires   INTEGER,
  words     TEXT NOT NULL,
  run       TEXT, -- JSON; the one that began, where there is no record
  ended     INTEGER, -- when it completed, where there is no record
  record    TEXT, -- JSON; NULL where the columns say all
  result    TEXT,
  PRIMARY KEY (namespace, id)
) STRICT;
INSERT INTO store_task_2 (namespace, id, task, queue, state, owner, tenant, key, parent, tags, created, due, expires, words, record, result)
  SELECT namespace, id, task, queue, state, owner, tenant, key, parent, tags, created, due, expires, words, record, result FROM store_task;
DROP TABLE store_task;
DROP TABLE store_change;
ALTER TABLE store_task_2 RENAME TO store_task;
CREATE INDEX store_task_created ON store_task (namespace, created);
CREATE INDEX store_task_state ON store_task (namespace, state, created);
CREATE INDEX store_task_owner ON store_task (namespace, owner, created) WHERE owner IS NOT NULL;
CREATE INDEX store_task_expires ON store_task (expires) WHERE expires IS NOT NULL;

CREATE TABLE store_news (
  number    INTEGER PRIMARY KEY, -- of the transaction
  namespace TEXT NOT NULL,
  ids       TEXT NOT NULL -- a JSON array
) STRICT;
`

/**
 * Who searches by owner reads a list that is written in bulk (see `owners.ts`): in an index of the tasks each call would cost a place of its
 * own. Whoever removes a task takes it off the list, also a process of the release before, hence the triggers. SQLite gives the number of the
 * last row again once that row is gone: then the mark must not be above what is left. The state is in no index, for each step would cost two
 * places in it; what has not completed is, for a search that asks for nothing else.
 */
const THIRD = `
CREATE TABLE store_task_3 (
  number    INTEGER PRIMARY KEY, -- not the implicit one, which VACUUM may change
  namespace TEXT NOT NULL,
  id        TEXT NOT NULL,
  task      TEXT,
  queue     TEXT,
  state     TEXT NOT NULL,
  owner     TEXT,
  tenant    TEXT,
  key       TEXT,
  parent    TEXT,
  tags      TEXT NOT NULL,
  created   INTEGER NOT NULL,
  due       INTEGER,
  expires   INTEGER,
  words     TEXT NOT NULL,
  run       TEXT,
  ended     INTEGER, -- when it completed; NULL in every other state
  record    TEXT,
  result    TEXT,
  UNIQUE (namespace, id)
) STRICT;
INSERT INTO store_task_3
    (namespace, id, task, queue, state, owner, tenant, key, parent, tags, created, due, expires, words, run, ended, record, result)
  SELECT namespace, id, task, queue, state, owner, tenant, key, parent, tags, created, due, expires, words, run,
    CASE WHEN state = 'completed' THEN coalesce(ended, created) END, record, result FROM store_task ORDER BY rowid;
DROP TABLE store_task;
ALTER TABLE store_task_3 RENAME TO store_task;
CREATE INDEX store_task_created ON store_task (namespace, created);
CREATE INDEX store_task_unended ON store_task (namespace, created) WHERE ended IS NULL;
CREATE INDEX store_task_expires ON store_task (expires) WHERE expires IS NOT NULL;

CREATE TABLE store_owner (
  namespace TEXT NOT NULL,
  owner     TEXT NOT NULL,
  created   INTEGER NOT NULL,
  number    INTEGER NOT NULL,
  PRIMARY KEY (namespace, owner, created, number)
) STRICT, WITHOUT ROWID;
INSERT INTO store_owner SELECT namespace, owner, created, number FROM store_task WHERE owner IS NOT NULL ORDER BY 1, 2, 3, 4;

CREATE TABLE store_listed (number INTEGER NOT NULL) STRICT; -- one row: the tasks up to this number are on the list of owners
INSERT INTO store_listed SELECT coalesce(max(number), 0) FROM store_task;

CREATE TRIGGER store_task_removed AFTER DELETE ON store_task BEGIN
  DELETE FROM store_owner WHERE namespace = OLD.namespace AND owner = OLD.owner AND created = OLD.created AND number = OLD.number;
END;
CREATE TRIGGER store_last_removed AFTER DELETE ON store_task WHEN OLD.number > (SELECT coalesce(max(number), 0) FROM store_task) BEGIN
  UPDATE store_listed SET number = min(number, (SELECT coalesce(max(number), 0) FROM store_task));
END;
`

/** Every version of the store's tables. A change is a new entry at the end. */
export const STORE_SCHEMA: Schema = { part: 'store', versions: [FIRST, SECOND, THIRD] }
