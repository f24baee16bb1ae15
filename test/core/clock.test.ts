import { expect } from 'chai'
import { newTaskId } from '#src/core/clock.js'

describe('Ids of tasks', () => {
  const ids = Array.from({ length: 20_000 }, newTaskId)

  it('are UUIDs of version 7, and begin with the time', () => {
    const before = Date.now()
    const id = newTaskId()
    expect(id).to.match(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    const at = Number.parseInt(id.replace('-', '').slice(0, 12), 16)
    // a burst before this one may have borrowed from the milliseconds to come
    expect(at).to.be.within(before, Date.now() + 20)
  })

  it('rise, and none is given twice, however many are made in one millisecond', () => {
    expect(new Set(ids).size).to.equal(ids.length)
    expect([...ids].sort()).to.deep.equal(ids)
  })

  it('end in what nobody can guess from the one before', () => {
    const endings = new Set(ids.map((id) => id.slice(19)))
    expect(endings.size).to.equal(ids.length)
  })
})
