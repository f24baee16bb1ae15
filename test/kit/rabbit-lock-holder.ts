import { openRabbitLocks } from '#src/broker/rabbitmq/locks.js'

/** A process that holds a name, says so, and keeps it until it is killed. */
const [url = '', namespace = '', name = ''] = process.argv.slice(2)
const locks = await openRabbitLocks({ urls: [url], namespace })
const held = await locks.take(name)
process.send?.(held === undefined ? 'refused' : 'held')
