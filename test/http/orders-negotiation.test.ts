import { expect } from 'chai'
import { asyncTask, currentOrder, orders } from 'errand'
import type { OrdersOptions } from 'errand/orders'
import { until } from '../kit/until.js'
import { membersOf } from '../kit/orders-client.js'
import { testOrders, type OrdersTesting } from '../kit/orders-testing.js'
import { eachScope, type Scope } from '../kit/temporary.js'

const gates = new Map<string, () => void>()
const waiting = asyncTask(async function orderWaits(uuid: string): Promise<void> {
  currentOrder().setMessage('Waiting.')
  await new Promise<void>((resolve) => gates.set(uuid, resolve))
})
const adding = asyncTask(
  async function orderAdds(_uuid: string, { a, b }: { readonly a: number; readonly b: number }): Promise<{ readonly sum: number }> {
    currentOrder().setResourceUrl('/sums/1')
    return { sum: a + b }
  },
  { result: true },
)
const linking = asyncTask(async function orderLinks(_uuid: string, { url }: { readonly url: string }): Promise<void> {
  currentOrder().setResourceUrl(url)
})

function open(scope: Scope, options: OrdersOptions & { readonly mode?: 'run' | 'capture' } = {}): Promise<OrdersTesting> {
  return testOrders(
    scope,
    () => {
      orders.register('slow', waiting)
      orders.register('sum', adding, { contextSchema: { type: 'object', required: ['a'] }, validate: ({ a }) => (a === undefined ? 'a is missing.' : undefined) })
      orders.register('link', linking)
      orders.registerDestroy('sum', adding)
    },
    options,
  )
}

const prefer = (prefer: string) => ({ as: 'ada', headers: { prefer } })

async function through(gate: string): Promise<void> {
  const uuid = gate.slice(-36)
  ;(await until('the task waits', () => gates.get(uuid)))()
}

describe('What clients of orders may prefer', () => {
  const scope = eachScope()

  it('respond-async answers 202 with the order and where it is followed', async () => {
    const { client } = await open(scope(), { mode: 'capture' })

    const answer = await client.ask('POST', '/slow/order', prefer('respond-async'))

    expect(answer.status).to.equal(202)
    expect(answer.headers.get('preference-applied')).to.equal('respond-async')
    expect(answer.headers.get('retry-after')).to.equal('1')
    const { uuid } = await membersOf(answer)
    expect(answer.headers.get('location')).to.equal(`/async/orders/${String(uuid)}`)
  })

  it('wait answers 200 with the value where the order ends in time', async () => {
    const { client } = await open(scope())

    const answer = await client.ask('POST', '/sum/order', { ...prefer('respond-async, wait=20'), json: { context: { a: 1, b: 2 } } })

    expect(answer.status).to.equal(200)
    expect(answer.headers.get('preference-applied')).to.equal('wait=20')
    expect(await membersOf(answer)).to.deep.include({ status: 'completed', result: { sum: 3 }, resource_url: 'https://shop.example/sums/1' })
  })

  it('wait answers 202 where it does not, at the latest after the longest wait', async () => {
    const { client } = await open(scope(), { longestWait: 0.01 })

    const answer = await client.ask('POST', '/slow/order', prefer('wait=999999'))

    expect(answer.status).to.equal(202)
    await through(answer.headers.get('location') ?? '')
  })

  it('wait holds a GET until the order has ended', async () => {
    const { client } = await open(scope())
    const place = await client.place('slow')

    const answer = client.ask('GET', place, prefer('wait=20'))
    await through(place)

    expect((await answer).status).to.equal(201)
    expect((await client.ask('GET', place, prefer('wait=20'))).headers.get('preference-applied')).to.equal('wait=20')
  })

  it('a completed order leads to its resource where the client or the application asks for that', async () => {
    const { client, testing } = await open(scope())
    const place = await client.place('sum', { json: { context: { a: 1, b: 2 } } })
    await testing.idle()

    const answer = await client.ask('GET', place, prefer('redirect'))

    expect(answer.status).to.equal(303)
    expect(answer.headers.get('location')).to.equal('https://shop.example/sums/1')
    expect((await client.ask('GET', place, { as: 'ada' })).status).to.equal(201)
  })

  it('a resource is absolute, unchanged where it was, and never one that a browser would run (item 111)', async () => {
    const { client, testing } = await open(scope(), { redirect: true })
    const good = { '/a b?c=d': 'https://shop.example/a%20b?c=d', 'http://other.example/x': 'http://other.example/x', 'HTTPS://other.example/ü': 'HTTPS://other.example/ü', '': '' }
    const bad = ['javascript:alert(1)', '//evil.example', '/\\evil.example', 'data:text/html,x', 'x', ' /x', 'https://', 'ftp://a.b/c', '/\t/evil.example', `/${'x'.repeat(3_000)}`]

    const follow = async (url: unknown): Promise<Response> => {
      const place = await client.place('link', { json: { context: { url } } })
      await testing.idle()
      return client.ask('GET', place, { as: 'ada' })
    }

    for (const [url, absolute] of Object.entries(good)) {
      const answer = await follow(url)
      expect([answer.status, answer.headers.get('location')]).to.deep.equal(absolute === '' ? [201, null] : [303, absolute])
    }
    for (const url of bad) expect(await membersOf(await follow(url)), url.slice(0, 40)).to.include({ status: 'failed', resource_url: '' })
  })

  it('what the client has already is not sent again, until it changes', async () => {
    const { client } = await open(scope())
    const place = await client.place('slow')
    await until('it waits', () => gates.has(place.slice(-36)))
    const running = await until('it said so', async () => {
      const answer = await client.ask('GET', place, { as: 'ada' })
      return (await membersOf(answer))['message'] === 'Waiting.' && answer
    })
    const etag = running.headers.get('etag') ?? ''
    const known = (tags: string) => client.ask('GET', place, { as: 'ada', headers: { 'if-none-match': tags } })

    for (const tags of [etag, `W/${etag}`, `"x", ${etag}`, '*']) {
      const answer = await known(tags)
      expect([answer.status, answer.headers.get('etag'), answer.headers.get('retry-after'), await answer.text()], tags).to.deep.equal([304, etag, '1', ''])
    }
    for (const tags of ['"x"', 'x', '', etag.slice(1, -1)]) expect((await known(tags)).status, tags).to.equal(202)
    await through(place)
    expect((await client.ask('GET', place, { as: 'ada', headers: { prefer: 'wait=20', 'if-none-match': etag } })).status).to.equal(201)
  })

  it('HEAD answers as GET without a body, and nothing may be kept by caches', async () => {
    const { client } = await open(scope(), { mode: 'capture' })
    const place = await client.place('slow')

    for (const path of [place, '/orders', '/openapi.json']) {
      const [head, get] = await Promise.all([client.ask('HEAD', path, { as: 'ada' }), client.ask('GET', path, { as: 'ada' })])
      expect(await head.text()).to.equal('')
      expect([head.status, [...head.headers]]).to.deep.equal([get.status, [...get.headers]])
      expect(get.headers.get('cache-control')).to.equal('no-store')
      expect(get.headers.get('vary')).to.include('Prefer').and.include('Authorization')
    }
  })

  it('one Idempotency-Key of one caller is one order, for the same body, and another body is refused', async () => {
    const { client, testing } = await open(scope(), { mode: 'capture' })
    const ask = (as: string | undefined, key: string, json: unknown) =>
      client.ask('POST', '/slow/order', { ...(as === undefined ? {} : { as }), json, headers: { 'idempotency-key': key } })
    const placeOf = async (answer: Promise<Response>) => (await answer).headers.get('location')?.replace(/[?].*$/, '')

    const places = await Promise.all(Array.from({ length: 20 }, () => placeOf(ask('ada', '"k 1"', { context: { a: 1, b: 2 } }))))
    const again = await placeOf(ask('ada', '"k 1"', { context: { b: 2, a: 1 } }))
    const others = [await placeOf(ask('grace', '"k 1"', { context: { a: 1, b: 2 } })), await placeOf(ask('ada', '"k 2"', { context: { a: 1, b: 2 } })), await placeOf(ask(undefined, '"k 1"', { context: { a: 1, b: 2 } }))]

    expect(new Set([...places, again])).to.have.property('size', 1)
    expect(new Set([...others, again])).to.have.property('size', 4)
    expect((await ask('ada', '"k 1"', { context: { a: 1 } })).status).to.equal(422)
    expect((await ask('ada', '"k 1"', { context: { a: 1, b: 2 }, note: 'x' })).status).to.equal(422)
    expect(testing.calls).to.have.length(4)
  })

  it('an order that has ended, or was cancelled, is still the one of its key', async () => {
    const { client, testing } = await open(scope())
    const ask = (url: unknown) => client.place('link', { json: { context: { url } }, headers: { 'idempotency-key': JSON.stringify(url) } })
    const places = [await ask('/fine'), await ask('javascript:bad')]
    await testing.idle()

    expect([await ask('/fine'), await ask('javascript:bad')]).to.deep.equal(places)
  })

  it('keys that cannot be are refused', async () => {
    const { client, testing } = await open(scope(), { mode: 'capture' })

    for (const key of ['""', '"a', 'a b', 'a,b', 'ä', `"${'x'.repeat(256)}"`, '"\\a"']) {
      expect((await client.ask('POST', '/slow/order', { as: 'ada', headers: { 'idempotency-key': key } })).status, key.slice(0, 20)).to.equal(400)
    }
    expect(testing.calls).to.deep.equal([])
  })

  it('what the application says of a context is told to the client, and nothing is placed', async () => {
    const { client, testing } = await open(scope(), { mode: 'capture' })

    const answer = await client.ask('POST', '/sum/order', { as: 'ada', json: { context: { b: 1 } } })

    expect(answer.status).to.equal(400)
    expect(answer.headers.get('content-type')).to.equal('application/problem+json')
    expect(await membersOf(answer)).to.deep.equal({
      context: ['a is missing.'],
      type: 'about:blank',
      title: 'Bad Request',
      status: 400,
      detail: 'The context of the order was refused.',
    })
    expect(testing.calls).to.deep.equal([])
  })

  it('the OpenAPI document describes what can be placed here', async () => {
    const { client } = await open(scope())

    const document = await membersOf(await client.ask('GET', '/openapi.json'))

    expect(document).to.include({ openapi: '3.1.0' })
    expect(document['servers']).to.deep.equal([{ url: 'https://shop.example/async' }])
    const paths = document['paths'] as Record<string, Record<string, { requestBody?: unknown }>>
    expect(Object.keys(paths)).to.include.members(['/slow/order', '/sum/order', '/link/order', '/orders', '/orders/{uuid}'])
    expect(Object.keys(paths['/sum/order'] ?? {})).to.deep.equal(['post', 'delete'])
    expect(JSON.stringify(paths['/sum/order']?.['post']?.requestBody)).to.include('"required":["a"]')
  })

  it('every reference in the OpenAPI document leads somewhere', async () => {
    const { client } = await open(scope())
    const text = await (await client.ask('GET', '/openapi.json')).text()

    const references = [...text.matchAll(/"\$ref":"#\/([^"]+)"/g)].map(([, path = '']) => path)

    expect(references).not.to.deep.equal([])
    for (const path of references) {
      const found = path.split('/').reduce<unknown>((at, name) => (at as Record<string, unknown> | undefined)?.[name], JSON.parse(text))
      expect(found, path).to.be.an('object')
    }
  })
})
