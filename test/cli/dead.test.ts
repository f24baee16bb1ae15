import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import { loadConfig } from '#config/load.js'
import { compose } from '#src/compose.js'
import { newId } from '#src/core/clock.js'
import { makeContext } from '#src/core/context.js'
import { silentLogger } from '#src/core/logger.js'
import { eachScope, type Scope } from '../kit/temporary.js'
import { until } from '../kit/until.js'
import { application, errand, startProgram } from './run-errand.js'

/** As it stands on a letter that died three minutes ago. */
const note = (): object => ({
  code: 'TASK_FAILED',
  reason: 'Error: the mail server said \u001b[31mno\u001b[0m, and went on to say so at a length that no terminal has',
  task: 'Mail.send',
  attempt: 2,
  crashes: 0,
  at: new Date(Date.now() - 3 * 60_000).toISOString(),
  history: [1, 2].map((attempt) => ({ attempt, at: new Date().toISOString(), name: 'Error', code: 'ENO', message: 'no' })),
})

describe('errand dead', function () {
  this.timeout(120_000) // each command is a process
  const scope = eachScope()

  it('lists what died in 80 columns, and nothing that could steer a terminal', async () => {
    const { cwd, ids } = await withDead(scope(), 2)

    const { code, output } = await errand(scope(), cwd, 'dead')

    expect(code).to.equal(0)
    for (const id of ids) expect(output).to.contain(`${id}  3m ago      2  Mail.send\n  user 7, TASK_FAILED: Error: the mail server`)
    expect(output.split('\n').filter((line) => line.length > 80)).to.deep.equal([])
    expect(output).not.to.contain('\u001b')
    const status = await errand(scope(), cwd, 'status')
    expect(status.output).to.contain('2 dead').and.contain('`errand dead` lists')
  })

  it('says so when nothing is dead', async () => {
    const cwd = application(scope(), 'withAsync: true\n')

    expect((await errand(scope(), cwd, 'dead')).output).to.equal('No dead letters.\n')
    expect((await errand(scope(), cwd, 'status')).output).not.to.contain('errand dead')
  })

  it('lists a part, and a part after that', async () => {
    const { cwd, ids } = await withDead(scope(), 3)
    const idsIn = async (...args: string[]): Promise<string[]> =>
      (JSON.parse((await errand(scope(), cwd, 'dead', '--json', ...args)).output) as { id: string }[]).map(({ id }) => id) // it prints a list

    const first = await idsIn('--limit', '2')
    const rest = await idsIn('--after', first[1] ?? '')

    expect([...first, ...rest]).to.have.members(ids)
    expect(rest).to.have.length(1)
    expect(await idsIn('--since', '1m')).to.deep.equal([])
    expect(await idsIn('--user', '7', '--task', 'Mail.send', '--code', 'TASK_FAILED', '--since', '1h')).to.have.length(3)
  })

  it('looks at so many only as it is told, and says where there are more', async () => {
    const { cwd, ids } = await withDead(scope(), 3)
    const listed = async (...args: string[]) => {
      const { output, errors } = await errand(scope(), cwd, 'dead', '--json', ...args)
      // Node says there itself that its SQLite is new
      const ours = errors.split('\n').filter((line) => !/^\(node:\d+\) ExperimentalWarning|^\(Use `node --trace-warnings/.test(line))
      return { ids: (JSON.parse(output) as { id: string }[]).map(({ id }) => id), errors: ours.join('\n') } // it prints a list
    }

    const part = await listed('--read', '2')
    expect(part.ids).to.have.length(2)
    expect(ids).to.include.members(part.ids)
    expect(part.errors).to.match(/^"default" has more dead letters: only the 2 that came to it first/)
    expect(await listed('--read', '2', '--task', 'Mail.send', '--user', '7')).to.deep.equal(part)
    const all = await listed('--read', '3')
    expect(all.ids).to.have.members(ids)
    expect(all.errors).to.equal('')
  })

  it('shows one without secrets and values, and with the values when they are asked for', async () => {
    const { cwd, ids, bodies } = await withDead(scope(), 1)
    const [id = ''] = ids

    const { output } = await errand(scope(), cwd, 'dead', 'show', id)
    expect(output).to.contain('authorization: ***').and.match(/^arguments {2}string, User$/m).and.match(/^runs {7}1 .* Error ENO: no$/m)
    expect(output).not.to.match(/hunter2|Bob/)

    const file = scope().file('message')
    const more = await errand(scope(), cwd, 'dead', 'show', id, '--arguments', '--raw', file)
    expect(more.output).to.contain('User: {"name":"Bob"}').and.not.to.contain('hunter2-secret')
    expect(readFileSync(file).equals(bodies[0] ?? Buffer.alloc(0))).to.equal(true)
  })

  it('shows and names one that no key opens', async () => {
    const { cwd, ids } = await withDead(scope(), 1, (body) => Buffer.from(body.toString().replace('Bob', 'Eve')))
    const [id = ''] = ids

    expect((await errand(scope(), cwd, 'dead', 'show', id)).output).to.contain('refused    a worker would refuse it again. MESSAGE_FORGED')
    const replayed = await errand(scope(), cwd, 'replay', id)
    expect(replayed.code).to.equal(1)
    expect(replayed.errors).to.contain('1 dead letter stays dead').and.contain(`${id}  MESSAGE_FORGED`).and.contain('--force')
    expect((await errand(scope(), cwd, 'replay', id, '--force')).output).to.equal('Replayed 1 dead letter.\n')
    expect((await errand(scope(), cwd, 'status')).output).to.contain('1 waiting, 0 dead')
  })

  it('sends back what was chosen, or only counts', async () => {
    const { cwd, ids } = await withDead(scope(), 3)

    expect((await errand(scope(), cwd, 'replay', '--all', '--dry-run')).output).to.equal('3 dead letters would be replayed.\n')
    expect((await errand(scope(), cwd, 'replay', ids[0] ?? '')).output).to.equal('Replayed 1 dead letter.\n')
    expect((await errand(scope(), cwd, 'replay', '--user', '7')).output).to.equal('Replayed 2 dead letters.\n')
    expect((await errand(scope(), cwd, 'status')).output).to.contain('3 waiting, 0 dead')
    const { code, errors } = await errand(scope(), cwd, 'replay', ids[0] ?? '')
    expect(code).to.equal(1)
    expect(errors).to.contain('[DEAD_LETTER_UNKNOWN]')
  })

  it('discards only what was confirmed', async () => {
    const { cwd } = await withDead(scope(), 2)

    const asked = await errand(scope(), cwd, 'dead', 'discard', '--all')
    expect([asked.code, asked.errors]).to.satisfy(([code, text]: [number, string]) => code === 2 && text.includes('add --yes'))
    expect((await errand(scope(), cwd, 'dead', 'discard', '--all', '--dry-run', '--yes')).output).to.equal('2 dead letters would be discarded.\n')
    expect((await errand(scope(), cwd, 'status')).output).to.contain('2 dead')
    expect((await errand(scope(), cwd, 'dead', 'discard', '--all', '--yes')).output).to.equal('Discarded 2 dead letters.\n')
    expect((await errand(scope(), cwd, 'status')).output).to.contain('0 dead')
  })

  it('sees what a script sees that has only the configuration and starts nothing', async () => {
    const { cwd, ids } = await withDead(scope(), 2)
    const script = `
      const { deadLetters } = await import(${JSON.stringify(import.meta.resolve('errand'))})
      console.log((await deadLetters.list()).map(({ id }) => id).join())
      console.log((await deadLetters.replay({ user: 7 })).replayed)`

    const program = startProgram(scope(), cwd, ['--input-type=module', '-e', script])

    expect(await program.ended, program.errors()).to.equal(0)
    const [listed, replayed] = program.output().split('\n')
    expect(listed?.split(',')).to.have.members(ids)
    expect(replayed).to.equal('2')
  })

  it('ends with 2 when it is used wrongly, and does nothing', async () => {
    const cwd = application(scope(), 'withAsync: true\n')

    const wrong = [
      ['dead', '--bogus'],
      ['dead', 'c0ffee'],
      ['dead', '--limit', '0'],
      ['dead', '--since', 'yesterday'],
      ['dead', 'show'],
      ['dead', 'discard', '--yes'],
      ['replay'],
      ['replay', 'c0ffee', '--all'],
    ]
    for (const args of wrong) expect((await errand(scope(), cwd, ...args)).code, args.join(' ')).to.equal(2)
  })

  it('says why where nothing is queued', async () => {
    const { code, errors } = await errand(scope(), application(scope(), 'withAsync: false\n'), 'dead')

    expect(code).to.equal(1)
    expect(errors).to.contain('"withAsync" is false in the environment development').and.contain('--env')
  })
})

/** An application with so many dead letters in its queue file. */
async function withDead(scope: Scope, count: number, change = (body: Buffer): Buffer => body) {
  const cwd = application(scope, 'withAsync: true\n')
  const runtime = await compose(await loadConfig({ cwd, env: 'development' }), { log: silentLogger })
  const ids = Array.from({ length: count }, () => newId())
  const context = makeContext({ user: { id: 7 }, headers: { authorization: 'Bearer hunter2-secret' } })
  const args = '["hello",{"$":"class","n":"User","v":{"name":"Bob"}}]'
  const more = { task: 'Mail.send', args, context, carriers: undefined, sentAt: Date.now(), expiresAt: undefined, replyTo: undefined }
  const bodies = ids.map((id) => change(runtime.messages.sealCall({ id, ...more })))
  await runtime.broker.consume('default', { concurrency: 10 }, async () => ({ kind: 'dead', note: JSON.stringify(note()) }))
  for (const [index, id] of ids.entries()) await runtime.broker.publish({ id, queue: 'default', body: bodies[index] ?? Buffer.alloc(0) })
  await until('the deaths', async () => (await runtime.broker.count('default')).dead === count)
  await runtime.close()
  return { cwd, ids, bodies }
}
