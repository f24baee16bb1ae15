import { expect } from 'chai'
import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import { background, tasks, type ConfigInput } from 'errand'
import { codeOf } from '../contract/store-case.js'
import { describePostgres, sharedPostgresUrl } from '../kit/postgres.js'
import { describeRabbit, freshNamespace, sharedRabbitNode } from '../kit/rabbitmq.js'
import { StatesApp } from '../kit/states-app.js'
import { eachScope } from '../kit/temporary.js'
import { until } from '../kit/until.js'
import * as work from '../fixtures/states/tasks.js'

/** Four servers beside that of the test, and two workers, do what an application does with states; only the configuration differs. */
function statesAcceptance(name: string, config: () => Promise<ConfigInput>): void {
  describe(`The same application, on ${name}`, function () {
    this.timeout(120_000)
    const scope = eachScope()

    it('starts one task for a key, shows progress, cancels from elsewhere, and runs what is scheduled', async () => {
      const scheduled = scope().file('scheduled')
      const schedules = [{ name: 'each-second', task: 'noteDown', every: '1s' as const, arguments: [scheduled] }]
      const app = new StatesApp(scope(), { ...(await config()), schedules, timeLimitGrace: '300ms' })
      await app.start()
      await Promise.all([app.worker(), app.worker()])

      const calls = scope().file('calls')
      const callers = Array.from({ length: 4 }, () => app.caller('the report', calls, 10))
      for (const caller of callers) await caller.line(/^ready/)
      appendFileSync(calls, '')
      for (const caller of callers) await caller.line(/^called/)

      const reporting = await background(work).report(app.gate, 40, { step: 'layout' })
      const shown = await until('its progress', async () => {
        const progress = await tasks.get(reporting.id).progress()
        return progress.value === 40 && progress
      })
      expect(shown.data).to.deep.equal({ step: 'layout' })

      const waiting = await background(work, { delay: '1h' }).note(app.file)
      const stuck = await background(work).reportInThread(app.gate, 10)
      await app.reached(stuck.id, 'running')
      for (const { id } of [waiting, stuck]) expect(await app.cancelElsewhere(id)).to.include({ isCancelled: true, state: 'cancelled' })
      expect(await codeOf(stuck.result())).to.equal('TASK_CANCELLED')

      app.open()
      // written by the callers
      const lines = await Promise.all(callers.map((caller) => caller.line(/^\[/)))
      const answers = lines.flatMap((line) => JSON.parse(line) as { readonly id: string; readonly value: number }[])
      expect(new Set(answers.map(({ id, value }) => `${id} ${value}`)).size).to.equal(1)
      expect(answers).to.have.length(40)
      expect(app.lines()).to.deep.equal(['ran'])
      await app.reached(reporting.id, 'completed')
      await until('two firings', () => existsSync(scheduled) && readFileSync(scheduled, 'utf8').split('\n').length > 2)
    })
  })
}

statesAcceptance('the embedded default', async () => ({}))

describeRabbit('With RabbitMQ', () => {
  describePostgres('and PostgreSQL', () => {
    statesAcceptance('RabbitMQ and PostgreSQL', async () => ({
      service: freshNamespace(),
      broker: (await sharedRabbitNode()).url,
      store: await sharedPostgresUrl(),
    }))
  })
})
