import { expect } from 'chai'
import { newId } from '#src/core/clock.js'
import type { Search } from '#src/store/store.js'
import { codeOf, type StoreCases } from './store-case.js'

export const searchCases: StoreCases = {
  'each condition finds what it names, and all given must hold': async (c) => {
    const call = { owner: 'ada', tenant: 'acme', tags: ['big', 'red'], key: 'k1', parentId: 'p1', queue: 'mail', task: 'Mail.send' }
    const id = await c.announce({ ...call, createdAt: 5_000 })
    const other = await c.announce({ createdAt: 9_000 })
    await c.store.record([c.start(other), c.fail(other)])
    const ids = async (search: Search): Promise<string[]> => (await c.store.search(search)).records.map((record) => record.id)

    const { tags: _tags, ...equal } = call
    for (const [name, value] of Object.entries(equal)) expect(await ids({ [name]: value }), name).to.deep.equal([id])
    for (const tag of call.tags) expect(await ids({ tag })).to.deep.equal([id])
    expect(await ids({ tag: 'bi' })).to.deep.equal([])
    expect(await ids({ states: ['failed', 'completed'] })).to.deep.equal([other])
    expect(await ids({ from: 5_000, to: 9_000 })).to.deep.equal([id])
    expect(await ids({ from: 5_001 })).to.deep.equal([other])
    expect(await ids({ owner: 'ada', states: ['failed'] })).to.deep.equal([])
    expect(await ids({})).to.deep.equal([other, id])
  },

  'a text is found in the task, key, owner, tags and error, in any case of letters': async (c) => {
    // no text is made of the digits of an id
    const id = await c.announce({ task: 'Mail.send', key: 'Order-ÄÖ', owner: 'Grace', tags: ['Büro'] })
    await c.store.record([c.start(id), c.fail(id)])
    await c.announce()
    for (const text of ['mail.SEND', 'order-äö', 'GRACE', 'büro', 'No such ORDER', id.slice(3, 20)]) {
      expect((await c.store.search({ text })).records.map((record) => record.id), text).to.deep.equal([id])
    }
  },

  'a search leaves results out': async (c) => {
    const id = await c.announce()
    await c.store.record([c.complete(id, '"large"')])
    const [record] = (await c.store.search({})).records
    expect(record).to.include({ id, state: 'completed' }).and.not.to.have.property('result')
  },

  'pages follow each other, the last made first, also among calls of one moment': async (c) => {
    const ids = await Promise.all(Array.from({ length: 25 }, (_, index) => c.announce({ createdAt: 1_000 + Math.floor(index / 10) })))
    const found = await c.allPages({ limit: 7 })
    expect(found.map(({ id }) => id).sort()).to.deep.equal([...ids].sort())
    const times = found.map(({ createdAt }) => createdAt)
    expect(times).to.deep.equal([...times].sort((a, b) => b - a))
  },

  'while others write, the pages have each call that was there once': async (c) => {
    const ids = await Promise.all(Array.from({ length: 60 }, (_, index) => c.announce({ createdAt: 1_000 + index })))
    const other = await c.second()
    let isOver = false
    const writing = (async () => {
      while (!isOver) await c.announce({ createdAt: 2_000 }, other)
    })()

    const found = (await c.allPages({ limit: 5 })).map(({ id }) => id)
    isOver = true
    await writing

    expect(new Set(found).size).to.equal(found.length)
    expect(found).to.include.members(ids)
  },

  'a search that cannot be is refused': async (c) => {
    const bad = [{ limit: 0 }, { limit: 501 }, { limit: 1.5 }, { after: 'x' }, { after: '' }, { from: NaN }, { to: Infinity }]
    for (const search of bad) expect(await codeOf(c.store.search(search)), JSON.stringify(search)).to.equal('OPTION_INVALID')
    // what callers without types may give
    const untyped = [{ states: ['done'] }, { stat: 1 }] as unknown as Search[]
    for (const search of untyped) expect(await codeOf(c.store.search(search))).to.equal('OPTION_INVALID')
  },
}

export const expiryCases: StoreCases = {
  'an expired task is unknown at once, by id, by key and in a search': async (c) => {
    const id = await c.announce({ key: 'short', expiresAt: c.clock.now() + 60_000 })
    expect(await c.state(id)).to.equal('queued')

    c.clock.forward(60_000)

    expect(await c.store.find({ id })).to.equal(undefined)
    expect(await c.store.find({ key: 'short' })).to.equal(undefined)
    expect((await c.store.search({})).records).to.deep.equal([])
  },

  'every change can move the end, and what is expired is removed': async (c) => {
    const soon = c.clock.now() + 60_000
    const [kept, gone] = [await c.announce({ expiresAt: soon }), await c.announce({ expiresAt: soon, key: 'gone' })]
    const forGood = await c.announce()
    await c.store.record([{ ...c.start(kept), expiresAt: soon + 60_000 }])
    c.clock.forward(61_000)

    expect(await c.store.expire()).to.equal(1)
    expect(await c.store.expire()).to.equal(0)
    expect(await Promise.all([kept, gone, forGood].map((id) => c.state(id)))).to.deep.equal(['running', 'unknown', 'queued'])
  },

  'a key whose task has expired begins anew': async (c) => {
    await c.store.begin('again', c.announcement({ expiresAt: c.clock.now() + 60_000 }))
    c.clock.forward(60_000)
    const second = c.announcement()
    expect(await c.store.begin('again', second)).to.deep.include({ isNew: true })
    expect(await c.store.find({ key: 'again' })).to.include({ id: second.id })
  },
}

export const boundCases: StoreCases = {
  'progress data of 10 MB is refused with PAYLOAD_TOO_LARGE, and a result too, and the task goes on': async (c) => {
    const id = await c.announce()
    await c.store.record([c.start(id)])
    const large = 'x'.repeat(10 * 1024 * 1024)
    expect(await codeOf(c.store.record([c.progress(id, 1, 5, large)]))).to.equal('PAYLOAD_TOO_LARGE')
    expect(await codeOf(c.store.record([c.complete(id, large)]))).to.equal('PAYLOAD_TOO_LARGE')
    expect(await c.state(id)).to.equal('running')
  },

  'a memo or a link that is too large is refused with PAYLOAD_TOO_LARGE, and a message is cut': async (c) => {
    expect(await codeOf(c.announce({ memo: 'x'.repeat(64 * 1024 + 1) }))).to.equal('PAYLOAD_TOO_LARGE')
    const id = await c.announce({ memo: 'x'.repeat(64 * 1024) })
    const say = (progress: { readonly message?: string; readonly link?: string }) =>
      c.store.record([{ kind: 'progressed', id, at: 1, run: c.run(), step: 1, progress: { value: 1, ...progress } }])
    expect(await codeOf(say({ link: 'x'.repeat(10_000) }))).to.equal('PAYLOAD_TOO_LARGE')
    await say({ message: 'm'.repeat(9_999) })
    expect((await c.known(id)).progress.message?.length).to.equal(2_000)
  },

  'the text of an error is cut': async (c) => {
    const id = await c.announce()
    const error = { name: 'n'.repeat(9_999), message: 'm'.repeat(99_999), code: 'c'.repeat(9_999) }
    await c.store.record([{ kind: 'failed', id, at: 1, error }])
    const kept = (await c.known(id)).error
    expect([kept?.name.length, kept?.message.length, kept?.code?.length]).to.deep.equal([200, 2000, 200])
  },

  'names that are empty or longer than a thousand characters, and times that are none, are refused': async (c) => {
    const long = 'x'.repeat(1_001)
    const bad = [{ key: '' }, { key: long }, { owner: long }, { tags: [''] }, { createdAt: NaN }, { expiresAt: 1.5 }, { id: 'a b' }]
    for (const more of bad) expect(await codeOf(c.announce(more)), JSON.stringify(more).slice(0, 40)).to.equal('OPTION_INVALID')
    expect((await c.store.search({})).records).to.deep.equal([])
  },
}

const TEXTS = ["' OR 1=1 --", '%', '_', '\\', '"', '; DROP TABLE task; --', '$1 ?', 'a\0b', '\ud800', '\u{1F600}', 'x'.repeat(1_000), '\n', ' ']

/** Line breaks stand between the parts that a text is looked for in; `%` is what the case itself looks for. */
const IN_EVERY_TASK = new Set(['%', '\n'])

export const hostileCases: StoreCases = {
  'keys, owners and tags of any characters are kept apart and read back unchanged': async (c) => {
    const ids = new Map<string, string>()
    for (const text of TEXTS) ids.set(text, await c.announce({ key: text, owner: text, tenant: text, tags: [text] }))
    for (const [text, id] of ids) {
      expect(await c.store.find({ key: text }), text).to.deep.include({ id, key: text, owner: text, tags: [text] })
      expect((await c.store.search({ owner: text })).records.map((record) => record.id)).to.deep.equal([id])
      expect((await c.store.search({ tag: text, key: text, tenant: text })).records.map((record) => record.id)).to.deep.equal([id])
    }
  },

  'a text to search for means itself, whatever it holds': async (c) => {
    const id = await c.announce({ owner: 'per%cent' })
    await c.announce({ owner: 'percent' })
    expect((await c.store.search({ text: 'per%c' })).records.map((record) => record.id)).to.deep.equal([id])
    for (const text of TEXTS.filter((each) => !IN_EVERY_TASK.has(each))) expect((await c.store.search({ text })).records, text).to.deep.equal([])
  },

  'of an id that cannot be, nothing is known': async (c) => {
    for (const id of [...TEXTS, '', '__proto__']) expect(await c.store.find({ id })).to.equal(undefined)
    const id = '__proto__'
    await c.announce({ id, key: 'constructor', tags: ['toString'] })
    expect(await c.store.find({ key: 'constructor' })).to.include({ id })
    expect(await c.state(newId())).to.equal('unknown')
  },
}
