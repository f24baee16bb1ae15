import { expect } from 'chai'
import { readFromLane, readToLane } from '#worker/isolation/protocol.js'

const delivery = { id: 'a', queue: 'default', body: Buffer.from('sealed'), attempt: 2, crashes: 1, priority: 4, note: 'why' }

describe('What a worker and its lanes say to each other', () => {
  it('is read as it was said', () => {
    for (const said of [
      { lane: 'run', delivery },
      { lane: 'abort', code: 'TASK_TIMEOUT', why: 'its time is over' },
      { lane: 'close' },
    ]) {
      expect(readToLane(said)).to.deep.equal(said)
    }
    for (const said of [
      { lane: 'hello' },
      { lane: 'ready' },
      { lane: 'unloadable', why: 'no database here' },
      { lane: 'dying', culprit: 'a', why: 'an error' },
      { lane: 'log', level: 'warn', text: 'a line' },
      ...[{ kind: 'done' }, { kind: 'release' }, { kind: 'dead', note: '{}' }, { kind: 'again', delayMs: 5 }, { kind: 'later', delayMs: 5 }].map(
        (verdict) => ({ lane: 'settled', verdict, memoryMb: 100 }),
      ),
    ]) {
      expect(readFromLane(said)).to.deep.equal(said)
    }
  })

  it('takes the bytes of a message as they come over a port', () => {
    const said = readToLane({ lane: 'run', delivery: structuredClone(delivery) })

    expect(said).to.deep.equal({ lane: 'run', delivery })
  })

  it('is nothing where a word or a field is not known: modules may use the channel too', () => {
    const strange: readonly unknown[] = [
      undefined,
      'run',
      { type: 'run' },
      { lane: 'walk' },
      { lane: 'run', delivery: { ...delivery, body: 'text' } },
      { lane: 'run', delivery: { ...delivery, attempt: '1' } },
      { lane: 'abort', code: 'OTHER', why: 'x' },
      { lane: 'settled', verdict: { kind: 'maybe' }, memoryMb: 1 },
      { lane: 'settled', verdict: { kind: 'again' }, memoryMb: 1 },
      { lane: 'settled', verdict: { kind: 'done' } },
      { lane: 'log', level: 'shout', text: 'x' },
    ]

    expect(strange.map(readToLane).filter((said) => said !== undefined)).to.deep.equal([])
    expect(strange.map(readFromLane).filter((said) => said !== undefined)).to.deep.equal([])
  })
})
