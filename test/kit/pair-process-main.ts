import { newId, systemClock } from '#src/core/clock.js'
import { openSqliteBroker } from '#src/broker/sqlite/open.js'
import { openSqliteStore } from '#src/store/sqlite/open.js'
import { oneFileOf } from '#src/compose/one-file.js'
import { silentLogger } from '#src/core/logger.js'
import { Tracking } from '#src/runtime/tracking/tracking.js'
import { Room } from '#src/sqlite/room.js'

/** Stores messages, each with the state of its task, until it is killed. */
const room = await Room.open({ file: process.argv[2] ?? '', durability: 'full', clock: systemClock })
const broker = await openSqliteBroker({ file: room })
const store = await openSqliteStore({ file: room })
const settings = { keepCompletedMs: 60_000, keepFailedMs: 60_000 }
const tracking = new Tracking({ store, oneFile: oneFileOf(store, broker), settings, clock: systemClock, log: silentLogger })

async function writeOn(): Promise<never> {
  for (;;) {
    const id = newId()
    const call = { kind: 'announced', id, task: 'Shop.buy', queue: 'work', createdAt: Date.now() } as const
    const message = { id, queue: 'work', body: Buffer.from(id) }
    await tracking.announce(call, { message, send: () => broker.publish(message) })
    process.send?.(id)
  }
}

await Promise.all(Array.from({ length: 10 }, writeOn))
