import { expect } from 'chai'
import { newId, systemClock } from '#src/core/clock.js'
import type { Database } from '#src/sqlite/driver.js'
import { migrate } from '#src/sqlite/migrate.js'
import { openDatabase } from '#src/sqlite/open.js'
import { Room } from '#src/sqlite/room.js'
import { resolveSearch } from '#src/store/search.js'
import { openSqliteStore } from '#src/store/sqlite/open.js'
import { MOST_UNLISTED } from '#src/store/sqlite/owners.js'
import { queryOf } from '#src/store/sqlite/query.js'
import { STORE_SCHEMA } from '#src/store/sqlite/schema.js'
import type { Search, Store } from '#src/store/store.js'
import { codeOf } from '../kit/code-of.js'
import { eachScope } from '../kit/temporary.js'

/** Only tasks of one moment are sorted, as versions of SQLite say it. */
const ONLY_TIES = /TEMP B-TREE FOR (LAST TERM|RIGHT PART) OF ORDER BY/

const CALL = { kind: 'announced', task: 'Shop.buy', queue: 'q', createdAt: 1 } as const

/** How a store of the release before writes. */
const BEFORE = {
  announce: `INSERT INTO store_task (namespace, id, task, queue, state, owner, tags, created, expires, words, run)
             VALUES ('', ?, '"Shop.buy"', '"q"', 'queued', '"ada"', '[]', ?, ?, ?, '${' '.repeat(60)}')`,
  start: `UPDATE store_task SET state = 'running', due = NULL, run = ? WHERE namespace = '' AND id = ?`,
  complete: `UPDATE store_task SET state = 'completed', ended = ?, expires = ?, result = ? WHERE namespace = '' AND id = ?`,
  report: `UPDATE store_task SET state = 'completed', run = NULL, ended = NULL, record = ? WHERE namespace = '' AND id = ?`,
  drop: `DELETE FROM store_task WHERE namespace = '' AND id = ?`,
} as const

describe('what the SQLite store finds tasks by', () => {
  const scope = eachScope()

  async function given() {
    const room = await Room.open({ file: scope().file('states.db'), durability: 'full', clock: systemClock })
    scope().defer(() => room.leave())
    const store = scope().use(await openSqliteStore({ file: room }))
    const announce = (count: number, owner = 'ada') => Promise.all(Array.from({ length: count }, () => store.record([{ ...CALL, id: newId(), owner }])))
    return { room, store, announce, count: (rows: string) => counted(room.db, rows) }
  }

  /** A file of the release before, and a connection as a process of that release has one. */
  async function givenBefore() {
    const file = scope().file('states.db')
    const db = await openDatabase({ file })
    scope().defer(() => db.close())
    await migrate(db, file, { ...STORE_SCHEMA, versions: STORE_SCHEMA.versions.slice(0, 2) })
    const announce = (id: string) => db.prepare(BEFORE.announce).run(id, 1, null, id)
    return { file, db, announce }
  }

  it('is an index for each search, and no search reads all tasks of an owner or sorts them', async () => {
    const { room } = await given()
    const plan = (search: Search): string => {
      const { sql, values } = queryOf(resolveSearch(search), { namespace: '', now: 1 })
      return (room.db.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(...values) as { detail: string }[]).map(({ detail }) => detail).join('\n')
    }
    const after = Buffer.from('[5,"x"]').toString('base64url')
    for (const search of [{}, { tag: 'red' }, { states: ['completed'] }, { states: ['failed', 'completed'] }] satisfies Search[]) {
      expect(plan(search)).to.include('INDEX store_task_created (namespace=?)').and.to.match(ONLY_TIES)
    }
    for (const states of [['failed'], ['queued'], ['queued', 'running', 'retrying', 'scheduled'], ['failed', 'cancelled']] satisfies Search['states'][]) {
      expect(plan({ states })).to.include('INDEX store_task_unended (namespace=?)').and.to.match(ONLY_TIES)
    }
    for (const search of [{ owner: 'ada' }, { owner: 'ada', states: ['failed'] }, { owner: 'ada', tag: 'red', text: 'x' }] satisfies Search[]) {
      expect(plan(search)).to.include('SEARCH store_owner USING PRIMARY KEY (namespace=? AND owner=?)').and.to.match(ONLY_TIES)
      expect(plan(search)).to.include('SEARCH store_task USING INTEGER PRIMARY KEY (rowid>?)').and.not.to.include('SCAN store_task')
    }
    expect(plan({ owner: 'ada', from: 4, after })).to.include('PRIMARY KEY (namespace=? AND owner=? AND created>? AND created<?)')
  })

  it('holds up nothing that is written after thousands of calls that a full disk refused', async () => {
    const { room, store } = await given()
    const many = Array.from({ length: MOST_UNLISTED + 100 }, () => ({ ...CALL, id: newId(), owner: 'ada' }))
    room.db.exec('PRAGMA max_page_count = 1')
    expect(await codeOf(store.record(many))).to.equal('STORE_REFUSED')

    room.db.exec('PRAGMA max_page_count = 100000')

    expect(await room.writer.submit(() => 'written')).to.equal('written')
  })

  it('lists whose the tasks are when there are some thousands of new ones, and not at each call', async () => {
    const { announce, count } = await given()
    await announce(MOST_UNLISTED - 1)
    expect(count('store_owner')).to.equal(0)
    await announce(1)
    expect(count('store_owner')).to.equal(MOST_UNLISTED)
    await announce(300)
    expect(count('store_owner')).to.equal(MOST_UNLISTED)
  })

  it('is listed again where the transaction that listed it was rolled back', async () => {
    const { room, store, announce, count } = await given()
    await announce(MOST_UNLISTED - 1)
    let failures = 1
    scope().defer(
      room.onEnding(() => {
        if (failures-- > 0) throw new Error('not now')
      }),
    )
    await announce(2)
    expect([count('store_owner'), failures < 0]).to.deep.equal([MOST_UNLISTED, true])
    await announce(MOST_UNLISTED)
    expect(count('store_owner')).to.equal(2 * MOST_UNLISTED + 1)
    expect(await idsOf(store, { owner: 'ada' })).to.have.lengthOf(2 * MOST_UNLISTED + 1)
  })

  it('leaves nothing of tasks that were removed', async () => {
    const { store, room, announce, count } = await given()
    await announce(MOST_UNLISTED + 10)
    room.db.exec('UPDATE store_task SET expires = 1')
    expect(await store.expire()).to.equal(MOST_UNLISTED + 10)
    expect([count('store_owner'), count('store_listed WHERE number > 0')]).to.deep.equal([0, 0])
    await announce(MOST_UNLISTED)
    expect(await idsOf(store, { owner: 'ada' })).to.have.lengthOf(MOST_UNLISTED)
    expect(count('store_owner')).to.equal(MOST_UNLISTED)
  })

  it('is made of the tasks in a file of the release before, by owner and by state', async () => {
    const { file, db, announce } = await givenBefore()
    for (const id of ['waits', 'runs', 'ended', 'reported']) announce(id)
    const record = { id: 'reported', task: 'Shop.buy', queue: 'q', state: 'completed', createdAt: 1, changedAt: 2, tags: [], runs: [], progress: { value: 1 } }
    for (const id of ['runs', 'ended']) db.prepare(BEFORE.start).run('[1,2,3,"h"]', id)
    db.prepare(BEFORE.complete).run(3, null, '"7"', 'ended')
    db.prepare(BEFORE.report).run(JSON.stringify(record), 'reported')

    const store = scope().use(await openSqliteStore({ file }))

    expect(await idsOf(store, { owner: 'ada' })).to.have.members(['waits', 'runs', 'ended', 'reported'])
    expect(await idsOf(store, { states: ['queued', 'running'] })).to.have.members(['waits', 'runs'])
    expect(await idsOf(store, { states: ['completed'] })).to.have.members(['ended', 'reported'])
    expect(counted(db, 'store_task INDEXED BY store_task_unended WHERE ended IS NULL')).to.equal(2)
    expect(await store.find({ id: 'ended' })).to.deep.include({ state: 'completed', endedAt: 3, result: '7' })
  })

  it('stays right where a process of the release before goes on writing', async () => {
    const { file, db, announce } = await givenBefore()
    const statements = Object.fromEntries(Object.entries(BEFORE).map(([name, sql]) => [name, db.prepare(sql)]))
    for (const id of ['kept', 'dropped']) announce(id)
    const store = scope().use(await openSqliteStore({ file }))

    statements['announce']?.run('late', 1, null, 'late')
    statements['drop']?.run('dropped')
    statements['start']?.run('[1,2,3,"h"]', 'kept')
    expect(await idsOf(store, { owner: 'ada' })).to.have.members(['kept', 'late'])

    statements['complete']?.run(3, null, null, 'kept')
    statements['drop']?.run('late')
    await store.record([{ ...CALL, id: 'next', owner: 'ada' }])
    expect(await idsOf(store, { owner: 'ada' })).to.have.members(['kept', 'next'])
    expect(await idsOf(store, { states: ['queued', 'running'] })).to.deep.equal(['next'])
  })
})

function counted(db: Database, rows: string): number {
  // the column of the statement
  return (db.prepare(`SELECT count(*) AS count FROM ${rows}`).get() as { count: number }).count
}

async function idsOf(store: Store, search: Search): Promise<string[]> {
  const ids: string[] = []
  let after: string | undefined
  do {
    const page = await store.search({ ...search, after, limit: 500 })
    ids.push(...page.records.map(({ id }) => id))
    after = page.next
  } while (after !== undefined)
  return ids
}
