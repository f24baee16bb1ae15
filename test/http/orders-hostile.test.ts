import { expect } from 'chai'
import { array, assert, asyncProperty, constantFrom, dictionary, json, jsonValue, oneof, option, record, string, stringMatching, uint8Array } from 'fast-check'
import { asyncTask, orders } from 'errand'
import { testOrders } from '../kit/orders-testing.js'
import { eachScope } from '../kit/temporary.js'

const taking = asyncTask(async function orderTakes(): Promise<void> {})

const PART = oneof(constantFrom('orders', 'order', 'pie', 'openapi.json', '..', '%2e%2e', '%00', '%', '%ff', ''), stringMatching(/^[!-~]{0,12}$/).map((text) => text.replace(/[?#/\\]/g, '')))
const PATH = oneof(array(PART, { maxLength: 4 }).map((parts) => `/${parts.join('/')}`), constantFrom('/pie/order', '/orders', `/orders/${crypto.randomUUID()}`))
const QUERY = dictionary(constantFrom('token', 'limit', 'after', 'owner', 'cancel', 'x'), string({ maxLength: 30 })).map((query) => new URLSearchParams(query).toString())
const HEADER = stringMatching(/^[ -~]{0,40}$/)
const HEADERS = dictionary(
  constantFrom('prefer', 'idempotency-key', 'if-none-match', 'content-type', 'origin', 'sec-fetch-site', 'content-length', 'accept'),
  oneof(HEADER, constantFrom('application/json', 'wait=0', 'respond-async', '*', 'null', 'https://shop.example', 'same-origin', '-1', '1e9')),
)
const BODY = oneof(json(), string(), uint8Array({ maxLength: 40 }), jsonValue().map((context) => JSON.stringify({ context })))

describe('Hostile requests about orders', function () {
  this.timeout(120_000)
  const scope = eachScope()

  it('whatever is asked, the answer is no failure of the server, and tells nothing of its inside', async () => {
    const { client } = await testOrders(scope(), () => orders.register('pie', taking), { mode: 'capture' })
    const request = record({
      method: constantFrom('GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'BREW'),
      path: PATH,
      query: QUERY,
      headers: HEADERS,
      body: option(BODY, { nil: undefined }),
      as: option(constantFrom('ada', 'grace'), { nil: undefined }),
    })

    await assert(
      asyncProperty(request, async ({ method, path, query, headers, body, as }) => {
        const sent = body === undefined || method === 'GET' || method === 'HEAD' ? {} : { body }
        const answer = await client.maybeAsk(method, query === '' ? path : `${path}?${query}`, { headers, ...sent, ...(as === undefined ? {} : { as }) })
        if (answer === undefined) return
        expect(answer.status).to.be.within(200, 499)
        expect(await answer.text()).not.to.match(/ErrandError|\.js:|\bat .*\(|node:/)
      }),
      { numRuns: 1_500 },
    )
  })
})
