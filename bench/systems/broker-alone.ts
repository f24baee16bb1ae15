import { newId } from '#src/core/clock.js'
import type { Broker } from '#src/broker/broker.js'
import { openRabbitBroker } from '#src/broker/rabbitmq/broker.js'
import { openSqliteBroker } from '#src/broker/sqlite/open.js'
import { wholeOf, type Whole } from '../payload.js'
import { inTurns, type Caller, type Place, type System } from '../system.js'

const QUEUE = 'bench'
const CONCURRENCY = 100

/** Errand's brokers without what Errand puts around them: JSON instead of sealed messages, no tasks, contexts and states. */
export const brokersAlone: readonly System[] = [
  alone({ name: 'broker-rabbitmq', server: 'rabbitmq', yardstick: 'raw-rabbitmq' }, ({ urls, name }) =>
    openRabbitBroker({ urls: [urls.rabbitmq ?? ''], namespace: name }),
  ),
  alone({ name: 'broker-sqlite', yardstick: 'raw-sqlite' }, ({ folder }) => openSqliteBroker({ file: `${folder}/broker.sqlite` })),
]

function alone(facts: Pick<System, 'name' | 'server' | 'yardstick'>, open: (place: Place) => Promise<Broker>): System {
  return {
    ...facts,
    setting: `the broker alone, concurrency ${CONCURRENCY}`,
    openCaller: async (place) => callerOf(await open(place)),
    startWorker: async (place, body) => {
      const broker = await open(place)
      await broker.consume(QUEUE, { concurrency: CONCURRENCY }, async (delivery) => {
        // the caller below wrote it
        const { email, asker } = JSON.parse(delivery.body.toString()) as Whole
        await body(email, asker.user.id)
        return { kind: 'done' }
      })
      return broker
    },
  }
}

function callerOf(broker: Broker): Caller {
  const send = (number: number): Promise<void> => broker.publish({ id: newId(), queue: QUEUE, body: Buffer.from(JSON.stringify(wholeOf(number))) })
  return { dispatch: (count, inFlight) => inTurns(count, inFlight, send), close: () => broker.close() }
}
