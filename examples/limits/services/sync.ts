import { asyncTask } from 'errand'
import { setTimeout as pause } from 'node:timers/promises'
import { deliver } from '../../postbox.js'

export class AccountClosed extends Error {}

export class SyncService {
  #failures = 1

  /** One run at a time for each account; the accounts do not wait for one another. */
  @asyncTask({ concurrency: 1, limitBy: (account: string) => account })
  async account(account: string, step: number): Promise<void> {
    await deliver(account, `step ${step} begins`)
    await pause(20)
    await deliver(account, `step ${step} ends`)
  }

  /** The provider takes ten requests a second from all of us. */
  @asyncTask({ rate: '10/s', retries: 3, backoff: '10ms', noRetryOn: [AccountClosed, 'EACCES'] })
  async push(account: string): Promise<void> {
    if (account === 'closed') throw new AccountClosed('This account is closed')
    if (this.#failures-- > 0) throw new Error('The provider did not answer')
    await deliver('provider', account)
  }
}
export const sync = new SyncService()
