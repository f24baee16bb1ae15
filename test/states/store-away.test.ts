import { expect } from 'chai'
import { background } from 'errand'
import { describePostgres, ownPostgresServer } from '../kit/postgres.js'
import { StatesApp } from '../kit/states-app.js'
import { eachScope } from '../kit/temporary.js'
import { until } from '../kit/until.js'
import * as work from '../fixtures/states/tasks.js'

describePostgres('Tasks whose store is away', function () {
  this.timeout(120_000)
  const scope = eachScope()

  it('run exactly as promised, answer their callers, and are known again when it is back', async () => {
    const server = scope().use(await ownPostgresServer())
    const app = new StatesApp(scope(), { store: server.url })
    await app.start()
    await app.worker()
    const before = await background(work).note(app.file)
    await app.reached(before.id, 'completed')

    await server.kill9()
    app.open()
    for (let call = 0; call < 5; call++) await background(work).note(app.file)
    const answered = await background(work).add(app.gate, 1, 2)
    expect(await answered.result()).to.deep.equal({ sum: 3, at: new Date(0) })
    await app.ran(6)
    await until('an empty queue', async () => (await app.waiting()) === 0)
    expect(app.lines()).to.deep.equal(['1', '1', '1', '1', '1', '1'])

    await server.start()
    const after = await until('a task that is known', async () => {
      const task = await background(work).note(app.file)
      return (await task.status().catch(() => undefined))?.state === 'unknown' ? undefined : task
    })
    await app.reached(after.id, 'completed')
    expect((await before.status()).state).to.equal('completed')
  })

  it('can be called and run although it was away from the start', async () => {
    const server = scope().use(await ownPostgresServer())
    await server.stop()
    const app = new StatesApp(scope(), { store: server.url })
    await app.start()
    await app.worker()

    await background(work).note(app.file)

    expect(await app.ran(1)).to.deep.equal(['1'])
  })
}, { own: true })
