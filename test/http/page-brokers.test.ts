import { expect } from 'chai'
import type { ConfigInput } from 'errand'
import { describePostgres, sharedPostgresUrl } from '../kit/postgres.js'
import { describeRabbit, freshNamespace, sharedRabbitNode } from '../kit/rabbitmq.js'
import { PageApp } from '../kit/page-app.js'
import { eachScope } from '../kit/temporary.js'
import { large, walk } from '../fixtures/page/tasks.js'

const BYTES = 2 * 1024 * 1024

/** What a waiting page does, on a broker and a store between processes. */
function pageOn(name: string, config: () => Promise<ConfigInput>): void {
  describe(`A waiting page on ${name}`, function () {
    this.timeout(120_000)
    const scope = eachScope()

    it('is started, watched and replayed, and streams what is large', async () => {
      const app = new PageApp(scope(), await config())
      await app.start({ '/walk': { run: walk }, '/large': { run: large } })
      await app.worker()

      const id = await app.begin('/walk', { form: { steps: '1' } })
      await app.stands('/walk', id, ({ progress, message }) => progress === 50 && message === 'step 1 <of> 1')
      const events = app.ask(`/walk/events?process_id=${id}`, { user: 'ada' })
      app.open('step-1')
      expect(await (await events).text()).to.match(/"completed":true\}\n\n$/)
      expect(await (await app.ask(`/walk/result?process_id=${id}`, { user: 'ada' })).text()).to.include('Walked 1 steps')
      expect((await app.ask(`/walk/result?process_id=${id}`, { user: 'eve' })).status).to.equal(404)

      const largeId = await app.begin('/large', { form: { mebibytes: '2' } })
      await app.ended('/large', largeId)
      const body = await (await app.ask(`/large/result?process_id=${largeId}`, { user: 'ada' })).arrayBuffer()
      expect(body.byteLength).to.equal(BYTES)
    })
  })
}

for (const isolation of ['thread', 'process'] as const) {
  pageOn(`the embedded queue with bodies in a ${isolation}`, async () => ({ worker: { isolation } }))
}

describeRabbit('With RabbitMQ', () => {
  before('a server', async function () {
    this.timeout(120_000)
    await sharedRabbitNode()
  })

  const broker = async () => ({ service: freshNamespace(), broker: (await sharedRabbitNode()).url })

  pageOn('RabbitMQ and SQLite', broker)

  describePostgres('and PostgreSQL', () => {
    pageOn('RabbitMQ and PostgreSQL', async () => ({ ...(await broker()), store: await sharedPostgresUrl() }))
  })
})
