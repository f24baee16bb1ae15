import { expect } from 'chai'
import { Note } from '#src/core/note.js'

describe('a note on an object', () => {
  it('can be written and read on an object that was frozen after it got room', () => {
    const object = { name: 'Ada' }
    Note.addTo(object)
    Object.freeze(object)

    Note.write(object, 'first')
    Note.write(object, 'second')

    expect(Note.read(object)).to.equal('second')
  })

  it('is seen by nobody else, and does not go into copies', () => {
    const object = { name: 'Ada' }
    Note.addTo(object)
    Note.write(object, 'secret')

    expect(Reflect.ownKeys(object)).to.deep.equal(['name'])
    expect(Note.read({ ...object })).to.equal(undefined)
    expect(Note.read(structuredClone(object))).to.equal(undefined)
  })

  it('is not kept where there is no room', () => {
    const object = {}

    Note.write(object, 'lost')

    expect(Note.read(object)).to.equal(undefined)
  })
})
