import { expect } from 'chai'
import { loadConfig } from '#config/load.js'
import { openStore } from '#src/compose/store.js'
import { silentLogger } from '#src/core/logger.js'
import type { TaskRecord } from '#src/store/store.js'
import { eachScope, type Scope } from '../kit/temporary.js'
import { application, errand } from './run-errand.js'

describe('errand cancel', function () {
  this.timeout(120_000) // each command is a process
  const scope = eachScope()

  it('cancels by id, with the calls made there, and says which had ended or are not known', async () => {
    const { cwd, find } = await withTasks(scope())

    const { code, output, errors } = await errand(scope(), cwd, 'cancel', 'order', 'done', 'nobody', '--reason', 'ordered twice', '--by', 'ada')

    expect(output).to.equal('Cancelled order and 1 call made there.\n')
    expect(errors).to.contain('done was completed before').and.contain('nothing is known of the task "nobody"')
    expect(code).to.equal(1)
    expect(await find('order')).to.include({ state: 'cancelled' })
    expect((await find('order'))?.error?.message).to.contain('by ada (ordered twice)')
    expect((await find('child'))?.state).to.equal('cancelled')
  })

  it('cancels all that the options find, and before that only counts them', async () => {
    const { cwd, find } = await withTasks(scope())

    const counted = await errand(scope(), cwd, 'cancel', '--task', 'Shop.order', '--dry-run')
    const before = await find('order')
    const cancelled = await errand(scope(), cwd, 'cancel', '--task', 'Shop.order', '--no-children')

    expect(counted).to.include({ code: 0, output: '2 tasks would be cancelled.\n' })
    expect(before?.state).to.equal('queued')
    expect(cancelled).to.include({ code: 0, output: 'Cancelled 2 tasks.\n' })
    expect((await find('order'))?.state).to.equal('cancelled')
    expect((await find('child'))?.state).to.equal('queued')
  })

  it('ends with 2 when it is used wrongly, and with 1 where nothing is kept', async () => {
    const { cwd, find } = await withTasks(scope())

    for (const args of [[], ['order', '--task', 'Shop.order'], ['--bogus']]) {
      expect((await errand(scope(), cwd, 'cancel', ...args)).code, args.join(' ')).to.equal(2)
    }
    const off = application(scope(), 'withAsync: true\nstore: off\n')

    expect((await find('order'))?.state).to.equal('queued')
    const { code, errors } = await errand(scope(), off, 'cancel', 'order')
    expect(code).to.equal(1)
    expect(errors).to.contain('CALL_INVALID').and.contain('store: sqlite')
  })
})

/** Two orders, a call that one of them made, and one that is done. */
async function withTasks(scope: Scope): Promise<{ readonly cwd: string; readonly find: (id: string) => Promise<TaskRecord | undefined> }> {
  const cwd = application(scope, 'withAsync: true\n')
  const store = await openStore(await loadConfig({ cwd, env: 'development' }), silentLogger)
  if (store === undefined) throw new Error('The configuration of this test names a store')
  scope.defer(() => store.close())
  const createdAt = Date.now()
  const call = { kind: 'announced', queue: 'default', createdAt } as const
  await store.record([
    { ...call, id: 'order', task: 'Shop.order' },
    { ...call, id: 'other', task: 'Shop.order' },
    { ...call, id: 'child', task: 'Shop.bill', parentId: 'order' },
    { ...call, id: 'done', task: 'Shop.order' },
    { kind: 'completed', id: 'done', at: createdAt, run: { attempt: 1, startedAt: createdAt, worker: { host: 'here', pid: 1 } } },
  ])
  return { cwd, find: (id) => store.find({ id }) }
}
