import { AsyncLocalStorage } from 'node:async_hooks'
import { around, asyncTask, carry, context, currentTask, isAsyncTask, register } from 'errand'
import { createFetch } from 'errand/fetch'

/** What the tasks did, for the checks in main.ts. */
export const journal: string[] = []

export class Line {
  readonly sku: string
  readonly quantity: number

  constructor(sku: string, quantity: number) {
    this.sku = sku
    this.quantity = quantity
  }

  describe(): string {
    return `${this.quantity} x ${this.sku}`
  }
}

export class Money {
  readonly #cents: bigint

  constructor(cents: bigint) {
    this.#cents = cents
  }

  toString(): string {
    return String(this.#cents)
  }
}
register(Money, { encode: (money) => money.toString(), decode: (text) => new Money(BigInt(String(text))) })

export class CardRefused extends Error {}

const billing = createFetch({ origins: ['https://billing.internal'] })

export class ShopService {
  #failures = 1

  @asyncTask()
  async confirm(to: string): Promise<void> {
    journal.push(`confirmed to ${to} for ${context().user?.name}`)
  }

  @asyncTask({ result: true, params: () => [[Line]] })
  async price(lines: Line[]): Promise<Money> {
    journal.push(lines.map((line) => line.describe()).join(', '))
    return new Money(1250n)
  }

  @asyncTask({ name: 'Shop.place', aliases: ['OrderService.place'] })
  async place(to: string): Promise<void> {
    await this.confirm(to) // a message of its own, with the same caller
    journal.push('placed')
  }

  @asyncTask({ retries: 3, backoff: '10ms', retryIf: (error) => !(error instanceof CardRefused) })
  async charge(amount: Money): Promise<void> {
    const { attempt, log } = currentTask()
    log.info(`Charging, attempt ${attempt}`)
    if (String(amount) === '0') throw new CardRefused('nothing to pay')
    if (this.#failures-- > 0) throw new Error('the bank did not answer')
    journal.push(`charged ${String(amount)} at attempt ${attempt}`)
  }

  @asyncTask({ result: true })
  async invoices(): Promise<string> {
    const response = await billing('https://billing.internal/invoices') // with the token of the person who asked
    return response.text()
  }

  @asyncTask()
  static async tidy(): Promise<void> {
    journal.push('tidied')
  }
}
export const shop = new ShopService()

export const sendSms = asyncTask(
  async function sendSms(to: string, text: string): Promise<void> {
    journal.push(`${whereAmI()}: ${to}, ${text}`)
  },
  { queue: 'sms', priority: 7 },
)

/** Runs in tasks and outside. */
function whereAmI(): string {
  return isAsyncTask() ? currentTask().name : 'no task'
}

export const timings: string[] = []

around(async (run, { task, attempt }) => {
  const begun = performance.now()
  try {
    return await run()
  } finally {
    timings.push(`${task}, attempt ${attempt}: ${performance.now() - begun} ms`)
  }
})

export const branch = new AsyncLocalStorage<string>()

carry<string>({
  name: 'branch',
  capture: () => branch.getStore(),
  restore: (state, next) => branch.run(state, next),
})

export const showBranch = asyncTask(async function showBranch(): Promise<void> {
  journal.push(`in ${branch.getStore()}`)
})
