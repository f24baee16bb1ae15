import type { Broker, BrokerFeatures } from '../../src/broker/broker.js'
import { ErrandError } from '../../src/errors.js'

/** What may be said of a broker that nobody has opened yet. */
const UNKNOWN: BrokerFeatures = { name: 'not opened', survivesRestart: false, crossHost: false, delayStepMs: 0, storesInOrder: false }

/** A broker that is opened when it is needed first: many tasks call no others, and a connection of their own would be wasted on them. */
export function lazyBroker(open: () => Promise<Broker>): Broker {
  let opening: Promise<Broker> | undefined
  let opened: Broker | undefined
  let isClosed = false
  const broker = async (): Promise<Broker> => {
    if (isClosed) throw new ErrandError('BROKER_CLOSED', 'Cannot reach the broker: the connection of this process was closed.')
    opening ??= open()
    try {
      opened = await opening
      return opened
    } catch (error) {
      opening = undefined // the next one who needs it tries again
      throw error
    }
  }
  const close = async (): Promise<void> => {
    isClosed = true
    const given = await opening?.catch(() => undefined)
    await given?.close()
  }
  return {
    get features() {
      return opened?.features ?? UNKNOWN
    },
    publish: async (message) => (await broker()).publish(message),
    consume: async (queue, options, handle) => (await broker()).consume(queue, options, handle),
    count: async (queue) => (await broker()).count(queue),
    browse: async (queue, visit) => (await broker()).browse(queue, visit),
    ping: async () => (await broker()).ping(),
    close,
    [Symbol.asyncDispose]: close,
  }
}
