import { expect } from 'chai'
import { asyncTask } from 'errand'
import type { Delivery, Verdict } from '#src/broker/broker.js'
import { openMemoryBroker } from '#src/broker/memory/broker.js'
import { newId, systemClock } from '#src/core/clock.js'
import { silentLogger } from '#src/core/logger.js'
import { createExecutor, type Executor } from '#src/runtime/execute.js'
import type { LaneEnd, LanePlace, Lanes } from '#src/runtime/lanes.js'
import { LazySignal } from '#src/core/lazy-signal.js'
import type { Runtime } from '#src/runtime/runtime.js'
import { callWith, messagesWith } from '../kit/sealing.js'

let ranHere = 0
const body = async (): Promise<void> => {
  ranHere++
}
asyncTask(body, { name: 'placed.plain' })
asyncTask(body, { name: 'placed.inline', isolation: 'inline' })
asyncTask(body, { name: 'placed.thread', isolation: 'thread' })

const DONE: LaneEnd = { kind: 'settled', verdict: { kind: 'done' } }

describe('Where a delivery runs', () => {
  beforeEach(() => {
    ranHere = 0
  })

  it('is what its task says, else the configuration', async () => {
    const places: (LanePlace | undefined)[] = []
    const executor = executorWith(DONE, { places, isolation: 'process' })

    for (const task of ['plain', 'inline', 'thread']) await executor.run(deliveryOf(`placed.${task}`), new LazySignal())

    expect(places).to.deep.equal([{ kind: 'process', isOwn: false }, { kind: 'thread', isOwn: false }])
    expect(ranHere).to.equal(1)
  })

  for (const [maxCrashes, suspect] of [[1, 1], [2, 1], [3, 2], [50, 2]] as const) {
    it(`is a process of its own after ${suspect} crashes where ${maxCrashes} are allowed`, async () => {
      const places: LanePlace[] = []
      const executor = executorWith(DONE, { places, maxCrashes })

      await executor.run(deliveryOf('placed.inline', suspect - 1), new LazySignal())
      expect(places).to.deep.equal([])
      expect(await executor.run(deliveryOf('placed.inline', suspect), new LazySignal())).to.deep.equal({ kind: 'done' })

      expect(places).to.deep.equal([{ kind: 'process', isOwn: true }])
    })
  }

  it('is nowhere any more when its process died under it, and the crashes are too many', async () => {
    const executor = executorWith({ kind: 'lost', why: 'it was ended by SIGKILL' })

    const verdict = await executor.run(deliveryOf('placed.inline', 2), new LazySignal())

    expect(verdict.kind).to.equal('dead')
    expect(noteOf(verdict)).to.include({ code: 'TASK_FAILED', crashes: 3, task: 'placed.inline' })
  })

  it('is decided again, one crash later, while there are few', async () => {
    const executor = executorWith({ kind: 'lost', why: 'it was ended by SIGKILL' })

    const end: unknown = await executor.run(deliveryOf('placed.thread', 1), new LazySignal()).catch((error: unknown) => error)

    expect(end).to.include({ code: 'TASK_FAILED' })
  })

  it('matters no more after a great many crashes, although none was proven to be its own', async () => {
    const executor = executorWith(DONE)

    expect(await executor.run(deliveryOf('placed.inline', 14), new LazySignal())).to.deep.equal({ kind: 'done' })
    expect(noteOf(await executor.run(deliveryOf('placed.inline', 15), new LazySignal()))).to.include({ crashes: 15 })
  })

  it('is asked later when there is no process to be had, which is no run', async () => {
    const executor = executorWith({ kind: 'missing', why: 'too many processes' })

    expect((await executor.run(deliveryOf('placed.thread'), new LazySignal())).kind).to.equal('later')
  })

  it('is left to another worker when its lane died of something else, or because this one stops', async () => {
    expect(await executorWith({ kind: 'disturbed' }).run(deliveryOf('placed.thread'), new LazySignal())).to.deep.equal({ kind: 'release' })

    const signal = new LazySignal()
    signal.abort(new Error('the worker stops'))
    const executor = executorWith({ kind: 'lost', why: 'it was ended by SIGKILL' })
    expect(await executor.run(deliveryOf('placed.thread', 2), signal)).to.deep.equal({ kind: 'release' })
  })

  it('is of no use when the services cannot be loaded there: the task has failed', async () => {
    const verdict = await executorWith({ kind: 'unloadable', why: 'no database here' }).run(deliveryOf('placed.thread'), new LazySignal())

    expect(noteOf(verdict)).to.include({ code: 'SERVICE_LOAD_FAILED' })
  })
})

interface Given {
  readonly places?: (LanePlace | undefined)[]
  readonly maxCrashes?: number
  readonly isolation?: 'process'
}

function executorWith(end: LaneEnd, { places = [], maxCrashes = 3, isolation }: Given = {}): Executor {
  const settings = {
    outsideRequest: 'enqueue',
    expiresMs: 0,
    resultTimeoutMs: 1000,
    retries: 0,
    maxCrashes,
    timeLimitMs: 0,
    timeLimitGraceMs: 0,
    reverify: false,
    secretHeaders: [],
    worker: { queues: ['default'], concurrency: 10 },
  } as const
  const runtime: Runtime = { settings, broker: openMemoryBroker(), messages: messagesWith(), clock: systemClock, log: silentLogger, report: () => {} }
  const lanes: Lanes = {
    run: (_delivery, place) => {
      places.push(place)
      return { begun: Promise.resolve(), ended: Promise.resolve(end), end: () => {} }
    },
  }
  return createExecutor(runtime, { lanes, isolation })
}

const deliveryOf = (task: string, crashes = 0): Delivery => ({
  id: newId(),
  queue: 'default',
  body: messagesWith().sealCall(callWith({ task, args: '[]' })),
  attempt: crashes + 1,
  crashes,
  priority: 4,
})

// the note of a dead letter is a JSON object
const noteOf = (verdict: Verdict): Record<string, unknown> => (verdict.kind === 'dead' ? (JSON.parse(verdict.note) as Record<string, unknown>) : {})
