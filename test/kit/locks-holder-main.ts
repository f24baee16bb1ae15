import type { Locks } from '#src/broker/locks.js'
import type { LocksPlace } from './locks-holder.js'

/** A process that takes a name, says so, and holds it until it is killed. */
const [place = '', name = ''] = process.argv.slice(2)
const locks = await open(JSON.parse(place) as LocksPlace) // holdInProcess wrote it
const held = await locks.take(name)
process.send?.(held === undefined ? 'the name was not free' : 'held')
setInterval(() => undefined, 60_000)

async function open(where: LocksPlace): Promise<Locks> {
  if (where.kind === 'sqlite') return (await import('#src/broker/sqlite/locks.js')).openSqliteLocks({ file: where.file })
  const { openRabbitLocks } = await import('#src/broker/rabbitmq/locks.js')
  return openRabbitLocks({ urls: [where.url], namespace: where.namespace })
}
