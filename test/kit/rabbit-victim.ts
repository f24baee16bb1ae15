import { openRabbitBroker } from '#src/broker/rabbitmq/broker.js'

/** A consumer in a process of its own that takes one message, says so, and holds it until it is killed. The last argument: more options, as JSON. */
const [url = '', namespace = '', queue = '', more = '{}'] = process.argv.slice(2)
// the test that starts this wrote them
const options = JSON.parse(more) as object
const broker = await openRabbitBroker({ urls: [url], namespace, ...options })
await broker.consume(queue, { concurrency: 1 }, () => {
  process.send?.('taken')
  return new Promise(() => {})
})
