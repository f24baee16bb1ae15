import { newId, systemClock } from '#src/core/clock.js'
import { openSqliteBroker } from '#src/broker/sqlite/open.js'
import { openSqliteStore } from '#src/store/sqlite/open.js'
import { Room } from '#src/sqlite/room.js'

/** Stores messages, each with the state of its task, until it is killed. */
const room = await Room.open({ file: process.argv[2] ?? '', durability: 'full', clock: systemClock })
const broker = await openSqliteBroker({ file: room })
const store = await openSqliteStore({ file: room })

async function writeOn(): Promise<never> {
  for (;;) {
    const id = newId()
    const call = { kind: 'announced', id, task: 'Shop.buy', queue: 'work', createdAt: Date.now() } as const
    const [record, publish] = [store.recording([call]), broker.publishing({ id, queue: 'work', body: Buffer.from(id) })]
    await store.submit(() => {
      record()
      publish()
    })
    process.send?.(id)
  }
}

await Promise.all(Array.from({ length: 10 }, writeOn))
