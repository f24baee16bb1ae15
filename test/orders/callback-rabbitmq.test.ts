import { expect } from 'chai'
import { fileURLToPath } from 'node:url'
import { tasks } from 'errand'
import { ordersHandler } from 'errand/orders'
import { generateKey } from '#src/core/seal/key-ring.js'
import { wait } from '../fixtures/callbacks/tasks.js'
import { OrdersClient } from '../kit/orders-client.js'
import { describePostgres, sharedPostgresUrl } from '../kit/postgres.js'
import { describeRabbit, freshNamespace, sharedRabbitNode } from '../kit/rabbitmq.js'
import { openReceiver } from '../kit/receiver.js'
import { StatesApp } from '../kit/states-app.js'
import { eachScope } from '../kit/temporary.js'
import { until } from '../kit/until.js'

/** Loaded here too, for the orders that it declares. */
const WAIT = `printed-${wait.name}`
const SERVICES = fileURLToPath(new URL('../fixtures/callbacks/tasks.js', import.meta.url))

describeRabbit('With RabbitMQ', function () {
  this.timeout(120_000)
  before('a server', () => sharedRabbitNode().then(() => {}))

  describePostgres('and PostgreSQL', () => {
    const scope = eachScope()

    it('the callback of an order survives the workers of both, and goes out under one id', async () => {
      const receiver = await openReceiver(scope(), (count) => (count === 1 ? undefined : 204))
      const service = freshNamespace()
      const [broker, store] = [(await sharedRabbitNode()).url, await sharedPostgresUrl()]
      const app = new StatesApp(scope(), { key: generateKey(), services: SERVICES, service, broker, store, callbacks: { hosts: ['127.0.0.1:*'], allowPrivate: true } })
      await app.start()
      await app.worker()
      const location = await new OrdersClient(ordersHandler()).place(WAIT, { json: { context: { gate: app.gate }, callback: receiver.origin } })
      const uuid = location.slice(-36)

      app.killWorkerOf(await app.reached(uuid, 'running'))
      app.open()
      await app.worker()
      await receiver.received(1)
      const sent = await until('the callback', async () => (await tasks.search({ tag: `order:${uuid}` })).tasks[0])
      app.killWorkerOf(await app.reached(sent.id, 'running'))
      await app.worker()

      const ids = (await receiver.received(2)).map(({ headers }) => headers['webhook-id'])
      expect(ids).to.deep.equal([sent.id, sent.id])
      await app.reached(sent.id, 'completed')
    })
  })
})
