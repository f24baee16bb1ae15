import { assert } from 'chai'
import { ErrandError } from 'errand'
import { deathNote, readNote, retryNote, type Failure } from '#src/runtime/death-note.js'

const AT = '2026-01-02T03:04:05.000Z'
const failure = (more: Partial<Failure> = {}): Failure => ({ attempt: 1, nowMs: Date.parse(AT), error: new RangeError('too far'), ...more })

describe('the note of a message', () => {
  it('tells why it is a dead letter and how every run ended', () => {
    const retried = retryNote(undefined, failure({ error: Object.assign(new Error('gone'), { code: 'ECONNRESET' }) }))
    const note = readNote(deathNote(retried, { ...failure({ attempt: 2 }), task: 'Mail.send', crashes: 0 }))

    assert.deepEqual(note, {
      code: 'TASK_FAILED',
      reason: 'RangeError: too far',
      task: 'Mail.send',
      attempt: 2,
      crashes: 0,
      at: AT,
      history: [
        { attempt: 1, at: AT, name: 'Error', code: 'ECONNRESET', message: 'gone' },
        { attempt: 2, at: AT, name: 'RangeError', message: 'too far' },
      ],
    })
  })

  it('of a message that is tried again has its history alone', () => {
    const note = readNote(retryNote(undefined, failure()))

    assert.isUndefined(note.reason)
    assert.deepEqual(note.history.map(({ attempt }) => attempt), [1])
  })

  it('keeps the last ten runs', () => {
    let note: string | undefined
    for (let attempt = 1; attempt <= 25; attempt++) note = retryNote(note, failure({ attempt }))

    assert.deepEqual(readNote(note).history.map(({ attempt }) => attempt), [16, 17, 18, 19, 20, 21, 22, 23, 24, 25])
  })

  it('stays below 4,000 bytes and whole, however long the errors and whatever letters they are in', () => {
    let note: string | undefined
    for (let attempt = 1; attempt <= 12; attempt++) note = retryNote(note, failure({ attempt, error: new Error('漢'.repeat(10_000)) }))
    note = deathNote(note, { ...failure({ attempt: 13, error: new Error('漢"\n'.repeat(10_000)) }), task: 'T.t', crashes: 0 })

    assert.isAtMost(Buffer.byteLength(note), 4_000)
    assert.equal(readNote(note).history.at(-1)?.attempt, 13)
  })

  it('has no secret in it', () => {
    const secrets = ['hunter2hunter2']
    const error = new Error('refused: Bearer hunter2hunter2')
    const retried = retryNote(undefined, failure({ error, secrets }))

    assert.notInclude(retried, 'hunter2')
    assert.notInclude(deathNote(undefined, { ...failure({ error, secrets }), task: 'T.t', crashes: 0 }), 'hunter2')
  })

  it('names the code of an error of the library', () => {
    const error = new ErrandError('TASK_UNKNOWN', 'no such task')

    assert.equal(readNote(deathNote(undefined, { ...failure({ error }), task: undefined, crashes: 0 })).code, 'TASK_UNKNOWN')
  })

  it('tells that a value was thrown that is no error, and not which', () => {
    const note = retryNote(undefined, failure({ error: 'a text of the application' }))

    assert.deepInclude(readNote(note).history[0], { name: 'string', message: 'a value that is no error was thrown' })
  })

  for (const strange of ['RabbitMQ moved it here', '[1]', '"text"', '{"history":7,"reason":[]}', '{"history":[null,{"attempt":"x"},{"attempt":2}]}', '', undefined]) {
    it(`is read although it is ${String(strange)}`, () => {
      assert.isAtMost(readNote(strange).history.length, 1)
    })
  }

  it('that something else wrote is the reason', () => {
    assert.equal(readNote('handed out too often').reason, 'handed out too often')
  })
})
