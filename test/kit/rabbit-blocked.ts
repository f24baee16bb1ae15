import { openRabbitBroker } from '#src/broker/rabbitmq/broker.js'

/**
 * A consumer in a process of its own. In its first run the event loop stands still for the time given, and the run ends when it
 * has heard that its message was given to another. Tells of each run and of each line of its log.
 */
const [url = '', namespace = '', queue = '', blockMs = '0'] = process.argv.slice(2)
const tell = (line: string): void => void process.send?.(line)
const log = { debug: tell, info: tell, warn: tell, error: tell }
const broker = await openRabbitBroker({ urls: [url], namespace, heartbeatSeconds: 1, log })
let runs = 0
await broker.consume(queue, { concurrency: 1 }, async ({ lost }) => {
  runs += 1
  tell(`run ${runs}`)
  if (runs > 1) return { kind: 'done' }
  // what was told must leave first
  await new Promise((resolve) => setTimeout(resolve, 50))
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, Number(blockMs))
  await new Promise<void>((resolve) => (lost?.aborted === true ? resolve() : lost?.addEventListener('abort', () => resolve())))
  return { kind: 'done' }
})
