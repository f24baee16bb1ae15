// The work of every system: one email, about 300 bytes as JSON, asked for by one of 50 people, about 400 bytes of context.

/** The argument of the task. */
export interface Email {
  readonly to: string
  readonly subject: string
  readonly bodyText: string
}

/** Who asks: what an application knows of a request. */
export interface Asker {
  readonly user: { readonly id: string; readonly name: string; readonly tenant: string; readonly roles: readonly string[] }
  readonly headers: Readonly<Record<string, string>>
  readonly url: string
  readonly method: string
}

/** What a system without a context of its own carries in one. */
export interface Whole {
  readonly email: Email
  readonly asker: Asker
}

const PEOPLE = 50
const BODY_TEXT = 'Dear customer, your order has left our house and is on its way to you. '.repeat(3).padEnd(215, '.')

const ASKERS: readonly Asker[] = Array.from({ length: PEOPLE }, (_, number) => ({
  user: { id: userIdOf(number), name: `Ada Lovelace the ${number}th`, tenant: 'analytical-engines', roles: ['editor', 'author', 'billing'] },
  headers: { authorization: `Bearer ${String(number).padStart(8, 'k').repeat(18)}`, 'x-request-id': `6f2c8d1e-0000-4000-8000-${String(number).padStart(12, '0')}` },
  url: 'https://shop.example.org/orders/81734',
  method: 'POST',
}))

export const emailOf = (number: number): Email => ({
  to: `${userIdOf(number)}@example.org`,
  subject: `Your order ${number} is on its way`,
  bodyText: BODY_TEXT,
})

/** The person who asks for the email of this number. @throws never: there is one for every number */
export function askerOf(number: number): Asker {
  const asker = ASKERS[number % PEOPLE]
  if (asker === undefined) throw new Error(`no person for number ${number}`)
  return asker
}

/** What JSON lacks: a class, dates and big integers. */
export class Rich {
  readonly at = new Date(0)
  readonly cents = 12_550n
  readonly plain: Whole

  constructor(plain: Whole) {
    this.plain = plain
  }
}

export const richOf = (number: number): Rich => new Rich(wholeOf(number))

export const wholeOf = (number: number): Whole => ({ email: emailOf(number), asker: askerOf(number) })

/** Whether data and person have both arrived, and belong together. */
export const isWhole = (email: Email, userId: string | undefined): boolean =>
  email.bodyText.length === BODY_TEXT.length && userId !== undefined && email.to.startsWith(`${userId}@`)

function userIdOf(number: number): string {
  return `user-${number % PEOPLE}`
}
