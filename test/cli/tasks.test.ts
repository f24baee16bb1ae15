import { expect } from 'chai'
import { loadConfig } from '#config/load.js'
import { openStore } from '#src/compose/store.js'
import { newId } from '#src/core/clock.js'
import { silentLogger } from '#src/core/logger.js'
import { eachScope, type Scope } from '../kit/temporary.js'
import { application, errand } from './run-errand.js'

const CONFIG = 'withAsync: true\nservice: shop\n'
const run = { attempt: 1, startedAt: 1, worker: { host: 'here', pid: 7 } }

describe('errand tasks and errand show', function () {
  this.timeout(120_000) // each command is a process
  const scope = eachScope()

  it('list tasks in 80 columns, the last called first, and nothing that could steer a terminal', async () => {
    const { cwd, failed, queued } = await withTasks(scope())

    const { code, output } = await errand(scope(), cwd, 'tasks')

    expect(code).to.equal(0)
    expect(output.indexOf(queued)).to.be.lessThan(output.indexOf(failed))
    expect(output).to.contain(`${failed}  failed     5m ago   Mail.send`)
    expect(output.split('\n').filter((line) => line.length > 80)).to.deep.equal([])
    expect(output).not.to.contain('\u001b')
  })

  it('list those that were asked for, page by page', async () => {
    const { cwd, failed, queued } = await withTasks(scope())
    const read = async (...args: string[]) => {
      const { output } = await errand(scope(), cwd, 'tasks', '--json', ...args)
      // the command prints a page
      const page = JSON.parse(output) as { tasks: { id: string }[]; next?: string }
      return { ids: page.tasks.map(({ id }) => id), next: page.next ?? '' }
    }

    expect((await read('--state', 'failed,completed')).ids).to.deep.equal([failed])
    expect((await read('--since', '3m')).ids).to.deep.equal([queued])
    const first = await read('--limit', '1')
    expect([first.ids, (await read('--limit', '1', '--after', first.next)).ids]).to.deep.equal([[queued], [failed]])
  })

  it('show one with its runs, and end with 1 where nothing is known', async () => {
    const { cwd, failed } = await withTasks(scope())

    const shown = await errand(scope(), cwd, 'show', failed)
    const unknown = await errand(scope(), cwd, 'show', newId())

    expect([shown.code, unknown.code]).to.deep.equal([0, 1])
    expect(shown.output.replace(/\s+/g, ' ')).to.contain('state failed error Error E_NO: no [31msuch order').and.contain('here process 7: failed in 9 ms')
    expect(unknown.output).to.contain('unknown')
  })

  it('say so where nothing is kept, and where there is nothing', async () => {
    const off = await errand(scope(), application(scope(), `${CONFIG}store: off\n`), 'tasks')

    expect(off.code).not.to.equal(0)
    expect(off.errors).to.contain('store: off')
  })
})

async function withTasks(scope: Scope) {
  const cwd = application(scope, CONFIG)
  const store = await openStore(await loadConfig({ cwd }), silentLogger)
  const [failed, queued, now] = [newId(), newId(), Date.now()]
  const call = { task: 'Mail.send', queue: 'default' }
  await store?.record([
    { kind: 'announced', id: failed, createdAt: now - 300_000, ...call },
    { kind: 'started', id: failed, at: 1, run },
    { kind: 'failed', id: failed, at: 10, run, error: { name: 'Error', code: 'E_NO', message: 'no \u001b[31msuch order' } },
    { kind: 'announced', id: queued, createdAt: now - 60_000, ...call },
  ])
  await store?.close()
  return { cwd, failed, queued }
}
