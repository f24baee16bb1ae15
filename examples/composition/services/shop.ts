import { asyncTask, context } from 'errand'
import { deliver } from '../../postbox.js'

const PRICES: Readonly<Record<string, number>> = { tea: 4, jam: 6, bread: 3 }

export class ShopService {
  @asyncTask({ result: true })
  async collect(year: number): Promise<readonly string[]> {
    return [`${year}: 2 x tea`, `${year}: 1 x jam`]
  }

  @asyncTask({ result: true })
  async render(rows: readonly string[]): Promise<string> {
    return `${rows.length} rows for ${String(context().user?.['name'])}`
  }

  @asyncTask({ result: true })
  async price(of: string): Promise<number> {
    const price = PRICES[of]
    if (price === undefined) throw new RangeError(`nobody sells ${of}`)
    return price
  }

  @asyncTask({ result: true })
  async sum(prices: readonly number[]): Promise<number> {
    return prices.reduce((total, price) => total + price, 0)
  }
}
export const shop = new ShopService()

export class MailService {
  @asyncTask()
  async send(what: string): Promise<void> {
    await deliver('ada@example.org', what)
  }

  @asyncTask()
  async warn(error: Error): Promise<void> {
    await deliver('ops@example.org', error.message)
  }
}
export const mail = new MailService()
