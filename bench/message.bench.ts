import { cpus } from 'node:os'
import { systemClock } from '#src/core/clock.js'
import { makeContext } from '#src/core/context.js'
import { createMessages, type CallMessage, type Messages } from '#src/core/message.js'
import { generateKey, parseKeyRing } from '#src/core/seal/key-ring.js'

/**
 * What a sealed message costs beyond its JSON, in process: microseconds for sealing and opening, and the ratio to bare
 * `JSON.stringify` with `Buffer.from`, and `JSON.parse`, of the same envelope in the same run. Passes are short and
 * interleaved, and the best one of each counts, so that a busy machine disturbs little.
 */
const PASSES = 300
const CALLS = 100

const ARGUMENTS = [{ to: 'ada@example.org', template: 'welcome', locale: 'en-GB', variables: { first: 'Ada', plan: 'team', seats: 12 } }, 42, true]
const newContext = () =>
  makeContext({
    user: { id: 7, name: 'Ada Lovelace', roles: ['admin'] },
    headers: { authorization: `Bearer ${'x'.repeat(300)}`, 'accept-language': 'en', 'x-request-id': 'r-1', traceparent: `00-${'a'.repeat(32)}-01` },
    url: 'https://shop.example/orders?page=2',
    method: 'POST',
    requestId: 'r-1',
    clientAddress: '192.0.2.7',
  })
const CONTEXT = newContext()
const ENVELOPE = { v: 1, kind: 'call', id: 'c0ffee', task: 'Mail.send', app: 'shop', env: 'bench', at: 1, args: ARGUMENTS, ctx: CONTEXT }

const callWith = (context: CallMessage['context']): CallMessage => ({
  id: '0197a2c4-77aa-7c31-b1d0-3a4a0e3a8a11',
  task: 'Mail.send',
  args: JSON.stringify(ARGUMENTS),
  context,
  carriers: undefined,
  sentAt: 1,
  expiresAt: undefined,
  replyTo: undefined,
})

const messagesOf = (seal: 'secrets' | 'context' | 'message'): Messages =>
  createMessages({
    keys: parseKeyRing([generateKey()]),
    app: 'shop',
    env: 'bench',
    seal,
    secretHeaders: ['authorization', 'cookie'],
    payloadLimit: 1e6,
    clock: systemClock,
  })

const best = new Map<string, number>()

function measure(title: string, run: () => unknown): void {
  const start = process.hrtime.bigint()
  for (let call = 0; call < CALLS; call++) run()
  const micros = Number(process.hrtime.bigint() - start) / CALLS / 1000
  best.set(title, Math.min(micros, best.get(title) ?? Infinity))
}

const bytes = Buffer.from(JSON.stringify(ENVELOPE))
const kinds = (['secrets', 'context', 'message'] as const).map((seal) => ({ seal, messages: messagesOf(seal) }))
const sealed = kinds.map(({ messages }) => messages.sealCall(callWith(CONTEXT)))
for (let pass = 0; pass < PASSES; pass++) {
  measure('bare JSON, write', () => Buffer.from(JSON.stringify({ ...ENVELOPE, args: ARGUMENTS })))
  measure('bare JSON, read', () => JSON.parse(bytes.toString()) as unknown)
  for (const [index, { seal, messages }] of kinds.entries()) {
    const body = sealed[index] ?? bytes
    // the arguments count as written already, but their text is made for bare JSON as well
    measure(`${seal}, seal, same request`, () => messages.sealCall(callWith(CONTEXT)))
    measure(`${seal}, seal, each call a new request`, () => messages.sealCall(callWith(newContext())))
    measure(`${seal}, open`, () => messages.openCall(body).readArguments())
  }
}

console.log(`${cpus()[0]?.model ?? 'unknown processor'}, Node ${process.version}; ${bytes.length} bytes of bare JSON, ${sealed[0]?.length ?? 0} sealed`)
for (const [title, micros] of best) {
  const bare = best.get(title.endsWith('open') ? 'bare JSON, read' : 'bare JSON, write') ?? NaN
  console.log(`${title.padEnd(42)} ${micros.toFixed(2).padStart(6)} us  ${(micros / bare).toFixed(2)} x`)
}
