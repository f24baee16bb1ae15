import { cpus } from 'node:os'
import { register } from '#src/core/codec/classes.js'
import { decodeValue } from '#src/core/codec/decode.js'
import { encodeArguments } from '#src/core/codec/encode.js'

/**
 * The cost of the codec on plain JSON, as a ratio to `JSON.stringify` and `JSON.parse` of the same payload in the same run.
 * Rounds are interleaved, so that a busy machine slows both sides.
 */
const ROUNDS = 25
const CALLS = 4000

const items = Array.from({ length: 5 }, (_, index) => ({
  sku: `SKU-000${index}`,
  title: `A thing of some length, number ${index}`,
  quantity: index + 1,
  price: 12.5 * index,
  tags: ['new', 'fragile'],
}))
const address = { street: '12 St James Square, floor 2', city: 'London' }
const order = {
  id: '0197a2c4-77aa-7c31-b1d0-3a4a0e3a8a11',
  customer: { id: 7, name: 'Ada Lovelace', email: 'ada@example.org', address },
  items,
  note: null,
  paid: true,
  total: 125.5,
}
const payload = {
  to: 'ada@example.org',
  template: 'welcome',
  locale: 'en-GB',
  variables: { first: 'Ada', last: 'Lovelace', plan: 'team', seats: 12, trial: false },
  links: ['https://example.org/start', 'https://example.org/help', 'https://example.org/unsubscribe'],
  note: 'Thank you for signing up; this text only fills the message.',
}

function nanosecondsPerCall(run: () => unknown): number {
  const start = process.hrtime.bigint()
  for (let call = 0; call < CALLS; call++) run()
  return Number(process.hrtime.bigint() - start) / CALLS
}

const median = (numbers: readonly number[]): number => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? NaN

function compare(title: string, ours: () => unknown, bare: () => unknown): void {
  const times: [number[], number[]] = [[], []]
  for (let round = 0; round < ROUNDS; round++) {
    times[0].push(nanosecondsPerCall(ours))
    times[1].push(nanosecondsPerCall(bare))
  }
  const [own, json] = times
  const medians = (median(own) / median(json)).toFixed(2)
  const minima = (Math.min(...own) / Math.min(...json)).toFixed(2)
  const absolute = `${Math.min(...own).toFixed(0)} ns against ${Math.min(...json).toFixed(0)} ns`
  console.log(`${title.padEnd(24)} median ${medians}  minimum ${minima}  (${absolute})`)
}

console.log(`${cpus()[0]?.model ?? 'unknown processor'}, Node ${process.version}; ratios to bare JSON`)
/** The same order with what JSON lacks: a registered class, Dates, BigInts. */
class Rich {
  readonly at = new Date(0)
  readonly cents = 12_550n
  readonly order = order
}
register(Rich)

for (const [name, value] of [['order', order], ['payload', payload]] as const) {
  const args = [value]
  const text = JSON.stringify(args)
  compare(`encode ${name}, ${text.length} B`, () => encodeArguments(args, 'Cannot send Bench.run'), () => JSON.stringify(args))
  compare(`decode ${name}, ${text.length} B`, () => decodeValue(text), () => JSON.parse(text))
}
const rich = [new Rich()]
const richText = encodeArguments(rich, 'Cannot send Bench.run')
compare(`encode rich, ${richText.length} B`, () => encodeArguments(rich, 'Cannot send Bench.run'), () => JSON.stringify([order]))
compare(`decode rich, ${richText.length} B`, () => decodeValue(richText), () => JSON.parse(richText))
