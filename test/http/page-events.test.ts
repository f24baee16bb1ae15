import { expect } from 'chai'
import { setTimeout as pause } from 'node:timers/promises'
import type { TaskStatus } from 'errand'
import { eventsOf } from '#src/http/page/events.js'
import { resolveView } from '#src/http/page/view.js'
import { visitOf } from '#src/http/page/visit.js'
import { walk } from '../fixtures/page/tasks.js'

const STATUS: TaskStatus = { id: 'x', state: 'running', attempt: 1, attempts: [], progress: { value: 50, data: null }, tags: [] }
const SOON = 5
const LONG = 60_000

describe('The events of a waiting page', () => {
  const visit = visitOf(resolveView({ run: walk }), { request: new Request('http://localhost/walk/events'), mount: '/walk', path: '/events' })

  /** Tells how a process stands, and nothing more until it is told to end. */
  async function* told({ signal }: { readonly signal?: AbortSignal | undefined } = {}): AsyncGenerator<TaskStatus> {
    yield STATUS
    await new Promise((resolve) => signal?.addEventListener('abort', resolve))
  }

  const open = (times: { readonly heartbeatMs: number; readonly lifetimeMs: number }, watch = told): ReadableStream<Uint8Array> => {
    // only its watch is used
    const handle = { watch } as unknown as Parameters<typeof eventsOf>[1]['handle']
    return eventsOf(visit, { id: 'x', handle, status: STATUS, isOwn: true }, times)
  }

  it('say that they are still there while nothing happens', async () => {
    const reader = open({ heartbeatMs: SOON, lifetimeMs: LONG }).getReader()
    let said = ''
    while (!said.includes(': still here')) said += new TextDecoder().decode((await reader.read()).value)
    await reader.cancel()

    expect(said).to.match(/^retry: 3000\n\n.*\n\n: still here\n\n/s)
  })

  it('end after a while, so that it is decided again who may see them', async () => {
    const said = await new Response(open({ heartbeatMs: LONG, lifetimeMs: SOON })).text()

    expect(said).to.include('"progress":50').and.not.include('"completed":true')
  })

  it('end where the store is away', async () => {
    const said = await new Response(
      open({ heartbeatMs: LONG, lifetimeMs: LONG }, async function* (): AsyncGenerator<TaskStatus> {
        yield STATUS
        throw new RangeError('the store is away')
      }),
    ).text()

    expect(said).to.include('"progress":50')
  })

  it('say nothing any more to a reader that went away, also while the watch is still being ended', async () => {
    const thrown: unknown[] = []
    const keep = (error: unknown): void => void thrown.push(error)
    process.on('uncaughtException', keep)
    try {
      const reader = open({ heartbeatMs: 1, lifetimeMs: LONG }, async function* (): AsyncGenerator<TaskStatus> {
        yield STATUS
        await new Promise(() => {}) // a watch that hangs
      }).getReader()
      await reader.read()
      await reader.cancel()
      await pause(20) // many heartbeats long
    } finally {
      process.off('uncaughtException', keep)
    }

    expect(thrown).to.deep.equal([])
  })
})
