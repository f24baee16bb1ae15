import { askerOf, emailOf, richOf, wholeOf, type Whole } from '../payload.js'
import { counter } from '../processes/counter.js'
import type { Parts } from '../system.js'

const CALLS_KEPT = 1000

/** The least that a call and its run can do in a process: JSON, and a body that is awaited. Bare JSON as well for every single part. */
export async function openRawParts(): Promise<Parts> {
  const bodies: Buffer[] = []
  const args = JSON.stringify([emailOf(0)])
  const envelope = Buffer.from(JSON.stringify(envelopeOf(0)))
  const rich = JSON.stringify([richOf(0).plain])
  return {
    all: {
      'one call': (number) => {
        bodies[number % CALLS_KEPT] = Buffer.from(JSON.stringify(wholeOf(number)))
      },
      'one run': async (number) => {
        // the call of this number wrote it
        const { email, asker } = JSON.parse(String(bodies[number % CALLS_KEPT])) as Whole
        await counter.body(email, asker.user.id)
      },
      'encode arguments': (number) => JSON.stringify([emailOf(number)]),
      'decode arguments': () => JSON.parse(args) as unknown,
      'encode a class, dates and big integers': (number) => JSON.stringify([richOf(number).plain]),
      'decode a class, dates and big integers': () => JSON.parse(rich) as unknown,
      'seal, same request': (number) => Buffer.from(JSON.stringify(envelopeOf(number))),
      'seal, new request': (number) => Buffer.from(JSON.stringify(envelopeOf(number))),
      open: () => JSON.parse(envelope.toString()) as unknown,
    },
    close: async () => {},
  }
}

const envelopeOf = (number: number): object => ({
  v: 1,
  kind: 'call',
  id: '0197a2c4-77aa-7c31-b1d0-3a4a0e3a8a11',
  task: 'Mailer.deliver',
  app: 'bench',
  env: 'bench',
  at: 1,
  args: [emailOf(number)],
  ctx: askerOf(number),
})
