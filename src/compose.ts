import { loadKeys } from '../config/keys.js'
import type { Config } from '../config/config.js'
import type { Broker } from './broker/broker.js'
import { callbackSettings } from './compose/callbacks.js'
import { LazyLocks, openLocks } from './compose/locks.js'
import { openPatientStore } from './compose/store.js'
import { openTogether, type Opened } from './compose/together.js'
import { openConfiguredKeeper } from './compose/transactions.js'
import { systemClock, type Clock } from './core/clock.js'
import type { Logger } from './core/logger.js'
import { createMessages } from './core/message.js'
import { outside } from './core/outside.js'
import type { ErrorReporter } from './core/report.js'
import { parseKeyRing } from './core/seal/key-ring.js'
import { createSigner } from './core/seal/signer.js'
import type { Runtime } from './runtime/runtime.js'
import { Tracking } from './runtime/tracking/tracking.js'
import type { Store } from './store/store.js'

/** What a process brings along to be composed with its configuration. */
export interface ComposeExtras {
  readonly log: Logger
  readonly report?: ErrorReporter | undefined
  readonly clock?: Clock | undefined
  /** Use this broker instead of opening the configured one; it is closed with the runtime. */
  readonly broker?: Broker | undefined
  /** With `broker`: use this store instead of opening the configured one; it stays open. */
  readonly store?: Store | undefined
}

/** A runtime and the way to let go of everything it opened. */
export interface Composed extends Runtime {
  /** Lets go of held names and closes the broker. Safe twice. */
  close(): Promise<void>
}

/**
 * Opens what the configuration names and puts it together.
 * @throws ErrandError `BROKER_UNREACHABLE`, `BROKER_REFUSED`, `PACKAGE_MISSING`, `DRIVER_UNSUPPORTED`, `KEY_MISSING`, `KEY_INVALID`
 */
export async function compose(config: Config, extras: ComposeExtras): Promise<Composed> {
  const clock = extras.clock ?? systemClock
  const keyTexts = await loadKeys(config)
  const keys = parseKeyRing(keyTexts)
  const { service: app, environment: env, seal, secretHeaders, payloadLimit } = config
  const messages = createMessages({ keys, app, env, seal, secretHeaders, payloadLimit, clock })
  // a call inside a request may be what starts everything; no driver may see that request
  const { broker, store, oneFile } = await outside(() => open(config, extras, clock))
  const tracking = store === undefined ? undefined : new Tracking({ store, oneFile, sendingMs: sendingMsOf(config), settings: config, clock, log: extras.log })
  const locks = new LazyLocks(() => outside(() => openLocks(config, extras.log, clock)))
  return {
    settings: config,
    broker,
    onCommit: await openConfiguredKeeper(config, clock),
    tracking,
    locks: () => locks.open(),
    callbacks: callbackSettings(config, keyTexts),
    messages,
    signer: createSigner(keys, { app, env }),
    clock,
    log: extras.log,
    report: extras.report ?? (() => {}),
    close: async () => {
      await locks.close()
      if (store !== extras.store) await store?.close()
      await broker.close()
    },
  }
}

/** A call waits for its connection, and then for its confirm. */
const sendingMsOf = ({ broker }: Config): number | undefined => (broker.kind === 'rabbitmq' ? 2 * broker.confirmTimeoutMs : undefined)

async function open(config: Config, { broker, store, log }: ComposeExtras, clock: Clock): Promise<Opened> {
  if (broker === undefined) return openTogether(config, { log, clock })
  return { broker, store: store ?? (await openPatientStore(config, log, clock)) }
}
