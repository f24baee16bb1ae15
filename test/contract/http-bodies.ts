import { expect } from 'chai'
import { once } from 'node:events'
import type { HttpHandler } from '#src/http/handler.js'
import type { StartApp } from './http-app.js'
import { signal } from './signal.js'

const JSON_BODY = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"year":2026,"name":"Ada é"}' }

const whatCame: HttpHandler = async ({ request, parsedBody }) =>
  Response.json({ parsed: parsedBody ?? null, text: request.bodyUsed || request.body === null ? null : await request.text() })

export function bodiesBothWays(start: StartApp): void {
  it('reads a body that nobody parsed', async () => {
    const client = await start({ '/order': whatCame })

    const seen = await client.json('/async/order', JSON_BODY)

    expect(seen).to.deep.equal({ parsed: null, text: JSON_BODY.body })
  })

  it('gets a body that the application has parsed as what it was parsed to', async () => {
    const client = await start({ '/order': whatCame }, { parses: true })

    const seen = await client.json('/async/order', JSON_BODY)

    expect(seen).to.deep.equal({ parsed: { year: 2026, name: 'Ada é' }, text: null })
  })

  it('reads a body of another type than the application parses, and finds none where none came', async () => {
    const client = await start({ '/order': whatCame }, { parses: true })

    const form = { method: 'POST', headers: { 'content-type': 'application/x-thing' }, body: 'year=2026' }
    expect(await client.json('/async/order', form)).to.deep.equal({ parsed: null, text: 'year=2026' })
    expect((await client.json('/async/order', { method: 'POST' }))['text'] ?? '').to.equal('')
    expect(await client.json('/async/order')).to.deep.equal({ parsed: null, text: null })
  })

  it('streams a large body in and out again, byte for byte', async () => {
    const echo: HttpHandler = async ({ request }) => new Response(request.body)
    const client = await start({ '/echo': echo })
    const body = Buffer.alloc(3_000_000, 'errand ')

    const headers = { 'content-type': 'application/octet-stream' }
    const { text } = await client.send('/async/echo', { method: 'POST', headers, body })

    expect(text === body.toString()).to.equal(true)
  })

  it('reads an upload no faster than the handler does, and is told when it breaks off', async () => {
    const first = signal<void>()
    const failed = signal<unknown>()
    const reading: HttpHandler = async ({ request }) => {
      try {
        for await (const _chunk of request.body ?? []) first.resolve()
      } catch (error) {
        failed.resolve(error)
        throw error
      }
      return new Response('all of it')
    }
    const client = await start({ '/upload': reading })

    const headers = { 'content-type': 'application/octet-stream', 'content-length': '1000' }
    const outgoing = client.start('/async/upload', { method: 'POST', headers })
    outgoing.on('error', () => {}) // the hang-up of this side
    outgoing.write('some')
    await first.promise
    outgoing.destroy()

    expect(await failed.promise).to.be.instanceOf(Error)
  })

  it('sends events at once, and ends them when the client goes away', async () => {
    const next = signal<void>()
    const ended = signal<void>()
    const events = (): ReadableStream<Uint8Array> =>
      new ReadableStream({
        pull: async (controller) => {
          await next.promise
          controller.enqueue(Buffer.from('data: 50\n\n'))
          // nothing more comes: only the hang-up can end it
          await ended.promise
        },
        cancel: () => ended.resolve(),
      })
    const client = await start({ '/events': async () => new Response(events(), { headers: { 'content-type': 'text/event-stream' } }) })

    const response = await client.open('/async/events')
    response.on('error', () => {}) // the hang-up of this side
    next.resolve()
    const [event] = (await once(response, 'data')) as [Buffer] // documented by Node
    response.destroy()

    expect(response.headers).to.have.property('content-type', 'text/event-stream')
    expect(response.headers['set-cookie']).to.deep.equal(['session=1'])
    expect(event.toString()).to.equal('data: 50\n\n')
    await ended.promise
  })

  it('makes a body no faster than the client takes it', async () => {
    const chunk = Buffer.alloc(64 * 1024)
    const total = 32 * 1024 * 1024
    let made = 0
    let received = 0
    let ahead = 0
    const body = (): ReadableStream<Uint8Array> =>
      new ReadableStream({
        pull: (controller) => {
          made += chunk.length
          ahead = Math.max(ahead, made - received)
          controller.enqueue(chunk)
          if (made === total) controller.close()
        },
      })
    const client = await start({ '/big': async () => new Response(body()) })

    for await (const part of await client.open('/async/big')) received += (part as Buffer).length

    expect(received).to.equal(total)
    expect(ahead).to.be.below(total / 2)
  })
}
