import type { Broker, OutgoingMessage } from '#src/broker/broker.js'
import { SqliteBroker } from '#src/broker/sqlite/broker.js'

/** Kills this process when it sends its first message: `before` that is with the broker, or right `after` that. Answers to callers go. */
export function dieAtPublish(broker: Broker, when: 'before' | 'after'): void {
  const publish = broker.publish.bind(broker)
  const publishing = broker instanceof SqliteBroker ? broker.publishing.bind(broker) : undefined
  const die = (): boolean => process.kill(process.pid, 'SIGKILL')
  Object.assign(broker, {
    publish: async (message: OutgoingMessage) => {
      if (message.toTemporary === true) return publish(message)
      if (when === 'after') await publish(message)
      die()
      return new Promise(() => {})
    },
    // within a transaction, in one file with the states
    publishing: (message: OutgoingMessage) => {
      if (message.toTemporary === true) return publishing?.(message)
      if (when === 'before') die()
      const store = publishing?.(message)
      return () => {
        const isStored = store?.()
        queueMicrotask(die) // the commit comes before it, in this turn
        return isStored
      }
    },
  })
}
