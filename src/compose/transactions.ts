import type { Config } from '../../config/config.js'
import { maskUrl } from '../../config/secrets.js'
import type { OutgoingMessage } from '../broker/broker.js'
import type { OnCommit } from '../broker/on-commit.js'
import type { Clock } from '../core/clock.js'
import { outside } from '../core/outside.js'
import type { Relay } from '../outbox/relay.js'
import { publishCommitted } from '../runtime/publish-committed.js'
import type { Runtime } from '../runtime/runtime.js'

export type { Relay } from '../outbox/relay.js'

/** What tells where calls wait for the commit of a transaction. */
export type TransactionsConfig = Pick<Config, 'database' | 'service' | 'environment'>

const transactionsOf = ({ service, environment }: TransactionsConfig): string => `${service}:${environment}`

/** Keeps calls in the transactions of the configured database; `undefined` where there is none. It opens nothing. */
export async function openConfiguredKeeper(config: TransactionsConfig, clock: Clock): Promise<OnCommit | undefined> {
  if (config.database === undefined) return undefined
  const { createKeeper } = await import('../outbox/keep.js')
  return createKeeper(transactionsOf(config), clock)
}

/**
 * Publishes, as long as it is open, what committed transactions left in the configured database; it opens nothing where there is none.
 * @throws ErrandError `PACKAGE_MISSING`, `DATABASE_REFUSED`
 */
export async function openConfiguredRelay(config: TransactionsConfig, runtime: Runtime): Promise<Relay> {
  if (config.database === undefined) return NO_RELAY
  const url = config.database
  const { clock, log } = runtime
  const broker = { publish: (message: OutgoingMessage): Promise<void> => publishCommitted(runtime, message) }
  const { openRelay } = await import('../outbox/relay.js')
  return outside(() => openRelay({ url, shownUrl: maskUrl(url), namespace: transactionsOf(config), broker, clock, log }))
}

const NO_RELAY: Relay = { flush: async () => {}, close: async () => {} }
