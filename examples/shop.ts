// What the three examples "orders and page" have in common: who signs in, and what a client does with their addresses.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import { html, type PageFacts } from 'errand/page'

export interface Person {
  readonly id: number
  readonly name: string
}

const PEOPLE: Readonly<Record<string, Person>> = {
  'Bearer token-of-ada': { id: 7, name: 'Ada' },
  'Bearer token-of-bob': { id: 8, name: 'Bob' },
}

/** Stands for any authentication: who a token belongs to. */
export const personOf = (authorization: string | undefined): Person | undefined => PEOPLE[authorization ?? '']

/** The page before the start, with a question; the parts of `errand/page` are for pages of one's own. */
export const askForYear = ({ links }: PageFacts): ReturnType<typeof html> =>
  html`<!doctype html><html lang="en"><title>Report</title>
    <form method="post" action="${links.view}"><label>Year <input name="year" value="2026"></label> <button>Add up</button></form></html>`

/** With the argument `serve`, an example stays for people with a browser or curl until Ctrl-C. */
export async function visit(origin: string): Promise<void> {
  if (process.argv[2] !== 'serve') return tour(origin)
  console.log(`A page: ${origin}/report`)
  console.log(`An order: curl -iL --json '{"context":{"year":2026}}' -H 'authorization: Bearer token-of-ada' ${origin}/async/report/order`)
  await once(process, 'SIGINT')
}

export const port = process.argv[2] === 'serve' ? 3000 : 0

async function tour(origin: string): Promise<void> {
  const placed = await ask(`${origin}/async/report/order`, { as: 'ada', json: { context: { year: 2026 } } })
  const order = new URL(placed.headers.get('location') ?? '', origin)
  console.log(`${placed.status}: the order is followed at ${order.pathname.replace(/[0-9a-f-]{36}/, '<uuid>')}`)

  const made = await ask(order, { as: 'ada', prefer: 'wait=20' })
  const { status, progress, message, resource_url: resource } = (await made.json()) as Readonly<Record<string, unknown>> // as documented
  console.log(`${made.status}: ${String(status)}, ${String(progress)} %, ${String(message)}, ${new URL(String(resource)).pathname.replace(/[0-9a-f-]{36}/, '<uuid>')}`)
  console.log(`${(await ask(order, { as: 'bob' })).status}: Bob sees nothing of it`)

  const result = await throughThePage(`${origin}/report`)
  console.log(/<h1>(.*)<\/h1>/.exec(result)?.[1])
}

/** Fills in the form and reloads the page until it leads to the result, as a browser without scripts does. */
async function throughThePage(page: string): Promise<string> {
  assert.match(await (await ask(page, { as: 'ada' })).text(), /name="year"/)
  let response = await ask(page, { as: 'ada', form: { year: '2026' } })
  assert.equal(response.status, 303)
  let location = ''
  while (response.status !== 200 || location.includes('/processing')) {
    location = response.headers.get('location') ?? location
    response = await ask(new URL(location, page), { as: 'ada' })
    await pause(20)
  }
  return response.text()
}

interface Asking {
  readonly as: 'ada' | 'bob'
  readonly json?: object
  readonly form?: Readonly<Record<string, string>>
  readonly prefer?: string
}

function ask(url: string | URL, { as, json, form, prefer }: Asking): Promise<Response> {
  const headers = { authorization: `Bearer token-of-${as}`, accept: 'text/html', ...(prefer && { prefer }), ...(json && { 'content-type': 'application/json' }) }
  const body = json === undefined ? form && new URLSearchParams(form) : JSON.stringify(json)
  return fetch(url, { headers, redirect: 'manual', ...(body === undefined ? {} : { method: 'POST', body }) })
}
