import { existsSync, writeFileSync } from 'node:fs'
import { asyncTask, context } from 'errand'
import { deliver } from '../../postbox.js'

export class InvoiceService {
  @asyncTask({ retries: 1, backoff: '50ms' }) // two runs in all, then it is a dead letter
  async charge(invoice: number, amount: number): Promise<void> {
    if (!isBankOpen()) throw new Error('the bank is closed')
    await deliver(`${context().user?.name}`, `invoice ${invoice}: charged ${amount}`)
  }
}
export const invoices = new InvoiceService()

/** The bank is a file beside the postbox; its worker sees it too. */
const bank = (): string => `${process.env['POSTBOX']}.bank`
const isBankOpen = (): boolean => existsSync(bank())
export const openBank = (): void => writeFileSync(bank(), 'open')
