import { openRabbitBroker } from '#src/broker/rabbitmq/broker.js'

/** A consumer in a process of its own that takes one message, says so, and holds it until it is killed. */
const [url = '', namespace = '', queue = ''] = process.argv.slice(2)
const broker = await openRabbitBroker({ urls: [url], namespace })
await broker.consume(queue, { concurrency: 1 }, () => {
  process.send?.('taken')
  return new Promise(() => {})
})
