import { expect } from 'chai'
import { existsSync, readFileSync } from 'node:fs'
import type { Config, FailureReport } from 'errand'
import { systemClock, type Clock } from '#src/core/clock.js'
import { silentLogger } from '#src/core/logger.js'
import { startSupervisor, type Supervisor, type SupervisorOptions } from '#worker/supervisor.js'
import { queryLeader, type LeaderStatus } from '#worker/supervisor/election.js'
import { allGone, endWithTest, isAlive } from '../kit/process.js'
import { serviceConfig } from '../kit/service.js'
import { eachScope, type Scope } from '../kit/temporary.js'
import { until } from '../kit/until.js'

const STUB = new URL('../fixtures/worker-stub/main.js', import.meta.url)
/** Waits shrink to a hundredth, so that back-off and grace do not slow the tests down. */
const hasty: Clock = { now: () => systemClock.now(), after: (ms, fn) => systemClock.after(ms / 100, fn) }
/** Every worker has lived for long when it ends; a death would wait for ever. */
const aged: Clock = { now: () => systemClock.now() * 1000, after: () => () => {} }
/** Nothing that waits ever happens. */
const endless: Clock = { now: () => systemClock.now(), after: () => () => {} }

interface Supervised {
  readonly supervisor: Supervisor
  readonly config: Config
  readonly reports: FailureReport[]
  /** Ids of the worker processes that run now. */
  readonly pids: () => Promise<readonly number[]>
}

async function supervise(scope: Scope, modules: readonly string[], given: { worker?: object; clock?: Clock; onDied?: SupervisorOptions['onDied'] } = {}): Promise<Supervised> {
  const config = await serviceConfig(scope, { worker: { grace: '1s', ...given.worker } })
  const reports: FailureReport[] = []
  const supervisor = startSupervisor({
    config,
    modules: () => modules,
    log: silentLogger,
    report: (report) => void reports.push(report),
    clock: given.clock ?? hasty,
    random: () => 0,
    workerMain: STUB,
    onDied: given.onDied,
  })
  scope.defer(() => supervisor.stop())
  const pids = async (): Promise<readonly number[]> => running(await queryLeader(config))
  return { supervisor, config, reports, pids }
}

const running = (status: LeaderStatus | undefined): readonly number[] =>
  (status?.workers ?? []).flatMap(({ pid, state }) => (pid !== undefined && state === 'running' ? [pid] : []))

describe('The supervisor of a server', () => {
  const scope = eachScope()

  it('starts as many workers as the configuration says, and is ready when one consumes', async () => {
    const { supervisor, pids } = await supervise(scope(), [], { worker: { processes: 2 } })

    await supervisor.ready
    const found = await until('two workers', async () => (await pids()).length === 2 && pids())

    expect(found.every(isAlive)).to.equal(true)
    expect(new Set(found).size).to.equal(2)
  })

  it('hands its configuration over the channel, so that no secret stands in arguments or variables', async () => {
    const file = scope().file('told.json')
    const { supervisor, config } = await supervise(scope(), ['write', file])

    await supervisor.ready
    // written by the stub
    const { told, argv, env, cwd } = JSON.parse(readFileSync(file, 'utf8')) as Record<string, { config?: unknown }>

    expect(told?.config).to.deep.equal(JSON.parse(JSON.stringify(config)))
    expect(JSON.stringify([argv, env])).not.to.contain(config.dataDir)
    expect(cwd).to.equal(process.cwd())
  })

  it('starts a worker again that was killed', async () => {
    const { supervisor, pids } = await supervise(scope(), [])
    await supervisor.ready
    const [first = 0] = await pids()

    process.kill(first, 'SIGKILL')
    const second = await until('another worker', async () => (await pids()).find((pid) => pid !== first))

    expect(isAlive(first)).to.equal(false)
    expect(isAlive(second)).to.equal(true)
  })

  it('tells of a worker that died, and not of one that it stops', async () => {
    const deaths: unknown[] = []
    const { supervisor, pids } = await supervise(scope(), [], { onDied: (...death) => deaths.push(death) })
    await supervisor.ready
    const [first = 0] = await pids()

    process.kill(first, 'SIGKILL')
    await until('another worker', async () => (await pids()).find((pid) => pid !== first))
    await supervisor.stop()

    expect(deaths).to.deep.equal([[first, 'was ended by SIGKILL']])
  })

  it('does not start a killed worker again when it is told not to keep it alive', async () => {
    const { supervisor, pids, config, reports } = await supervise(scope(), [], { worker: { keepAlive: false } })
    await supervisor.ready

    process.kill((await pids())[0] ?? 0, 'SIGKILL')
    await until('the report', () => reports.length > 0)

    expect((await queryLeader(config))?.workers.map(({ state }) => state)).to.deep.equal(['stopped'])
  })

  it('gives up a worker that dies five times soon after its start, says so once, and lets the server live', async () => {
    const { supervisor, config, reports } = await supervise(scope(), ['crash'], { worker: { processes: 2 } })

    const error: unknown = await supervisor.ready.catch((reason: unknown) => reason)
    await until('the end of both', async () => (await queryLeader(config))?.workers.every(({ state }) => state === 'stopped'))

    expect(error).to.include({ code: 'WORKER_CRASH_LOOP' })
    expect(String(error)).to.match(/ended with code 3, for the 5th time in a row/)
    expect(reports.map(({ data }) => data)).to.deep.equal([{ fatal: true, code: 'WORKER_CRASH_LOOP' }])
  })

  it('goes on with a worker that dies again and again soon after its start, when a task came to its end in each', async () => {
    const file = scope().file('pids')
    const { reports } = await supervise(scope(), ['crash later', file])

    await until('a dozen workers', () => existsSync(file) && readFileSync(file, 'utf8').split('\n').length > 12)

    expect(reports).to.deep.equal([])
  })

  it('gives up a worker that cannot load its modules at the second time that happens in the same way', async () => {
    const { supervisor } = await supervise(scope(), ['unloadable', 'no database here'])

    const error: unknown = await supervisor.ready.catch((reason: unknown) => reason)

    expect(error).to.include({ code: 'WORKER_CRASH_LOOP' })
    expect(String(error)).to.match(/ended with code 1, for the 2nd time because of the same failure to load/)
  })

  it('goes on for a while with a worker that cannot load its modules in ever new ways', async () => {
    const { supervisor } = await supervise(scope(), ['unloadable'])

    expect(String(await supervisor.ready.catch((reason: unknown) => reason))).to.contain('for the 5th time in a row')
  })

  it('gives up a worker that is above its memory limit as soon as it starts, and names that limit', async () => {
    const { supervisor } = await supervise(scope(), ['crash', '75'])

    const error: unknown = await supervisor.ready.catch((reason: unknown) => reason)

    expect(String(error)).to.contain('exceeded its memory limit (worker.maxMemory), for the 5th time in a row')
  })

  it('replaces a worker that asks for it at once', async () => {
    const file = scope().file('pids')
    const { supervisor, pids } = await supervise(scope(), ['replace', file], { clock: aged })

    await supervisor.ready
    const second = await until('another worker', async () => {
      const next = existsSync(file) ? Number(readFileSync(file, 'utf8').split('\n')[1]) : 0
      return next > 0 && (await pids()).find((pid) => pid === next)
    })

    expect(isAlive(second)).to.equal(true)
  })

  it('replaces a worker that a signal ended at once and as often as that happens, and does not call it a crash', async () => {
    const { supervisor, pids, reports } = await supervise(scope(), ['leave'], { clock: endless, worker: { keepAlive: false } })
    await supervisor.ready

    for (let time = 1; time <= 6; time++) {
      const [before = 0] = await pids()
      process.kill(before, 'SIGTERM')
      await until('another worker', async () => (await pids()).find((pid) => pid !== before))
    }

    expect(reports).to.deep.equal([])
  })

  it('stops its workers and leaves the lead', async () => {
    const { supervisor, pids, config } = await supervise(scope(), [], { worker: { processes: 2 } })
    await until('two workers', async () => (await pids()).length === 2)
    const before = await pids()

    await supervisor.stop()
    await supervisor.stop()

    expect(before.some(isAlive)).to.equal(false)
    expect(await queryLeader(config)).to.equal(undefined)
  })

  it('kills a worker that does not stop within its grace period', async () => {
    const { supervisor, pids } = await supervise(scope(), ['deaf'])
    await supervisor.ready
    const before = await pids()
    endWithTest(scope(), before)

    await supervisor.stop()

    await allGone(before)
  })

  it('says what to do when its own files were bundled away', async () => {
    const config = await serviceConfig(scope())
    const options = { config, modules: () => [], log: silentLogger, report: () => {} }
    const supervisor = startSupervisor({ ...options, workerMain: new URL('./gone.js', import.meta.url) })
    scope().defer(() => supervisor.stop())

    const error: unknown = await supervisor.ready.catch((reason: unknown) => reason)

    expect(error).to.include({ code: 'SERVICE_LOAD_FAILED' })
    expect(String(error)).to.contain('leave "errand" out of the bundle')
  })

  it('survives an error reporter that throws', async () => {
    const config = await serviceConfig(scope())
    const lines: string[] = []
    const log = { ...silentLogger, error: (line: string) => void lines.push(line) }
    const report = (): never => {
      throw new Error('down as well')
    }
    const supervisor = startSupervisor({ config, modules: () => ['crash'], log, report, clock: hasty, random: () => 0, workerMain: STUB })
    scope().defer(() => supervisor.stop())

    await until('both lines', () => lines.length === 2)

    expect(lines[1]).to.equal('The error reporter failed: down as well')
  })
})
