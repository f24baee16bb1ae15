// A relay into an SQLite file that stops for ever where its argument says, so that it can be killed there.
import type { Broker, OutgoingMessage } from '#src/broker/broker.js'
import { openSqliteBroker } from '#src/broker/sqlite/open.js'
import { systemClock } from '#src/core/clock.js'
import { silentLogger } from '#src/core/logger.js'
import { openRelay } from '#src/outbox/relay.js'

export interface RelayOrder {
  readonly url: string
  readonly file: string
  readonly namespace: string
  /** Before a message reaches the broker, or after the broker has confirmed it. */
  readonly stopAt: 'committed' | 'published'
}

// the test that started this program wrote it
const { url, file, namespace, stopAt } = JSON.parse(process.argv[2] ?? '') as RelayOrder
const real = await openSqliteBroker({ file })

async function publish(message: OutgoingMessage): Promise<void> {
  if (stopAt === 'published') await real.publish(message)
  process.stdout.write(`${stopAt} ${message.id}\n`)
  await new Promise(() => setInterval(() => {}, 60_000))
}

// the relay uses nothing else of a broker
const broker = { publish } as Broker
await openRelay({ url, shownUrl: 'postgres://test', namespace, broker, clock: systemClock, log: silentLogger })
