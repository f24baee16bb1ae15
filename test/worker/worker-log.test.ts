import { expect } from 'chai'
import { makeContext, runInScope } from '#src/core/context.js'
import { LazySignal } from '#src/core/lazy-signal.js'
import { workerLog } from '#worker/worker-log.js'
import { silentLogger } from '#src/core/logger.js'

const MARK = `worker[${process.pid}]`

function lines(level: 'debug' | 'info' | 'warn' | 'error' | 'silent', use: (log: ReturnType<typeof workerLog>) => void): readonly string[] {
  const written: string[] = []
  use(workerLog(level, (line) => void written.push(line)))
  return written
}

describe('The log of a worker', () => {
  it('marks every line with the process and the level', () => {
    const written = lines('info', (log) => {
      log.info('one\ntwo')
      log.error('three')
    })

    expect(written).to.deep.equal([`${MARK} info one\n`, `${MARK} info two\n`, `${MARK} error three\n`])
  })

  it('names the task and the user of the flow that logs', () => {
    const task = { id: 'abc', name: 'Mail.send', attempt: 1, signal: new LazySignal(), log: silentLogger }
    const context = makeContext({ user: { id: 'ada lovelace' } })

    const written = lines('info', (log) => runInScope({ context, task }, () => log.warn('late')))

    expect(written).to.deep.equal([`${MARK} warn task=abc user=ada_lovelace late\n`])
  })

  it('says nothing below its level', () => {
    const all = (log: ReturnType<typeof workerLog>): void => {
      for (const level of ['debug', 'info', 'warn', 'error'] as const) log[level](level)
    }

    expect(lines('warn', all)).to.have.length(2)
    expect(lines('debug', all)).to.have.length(4)
    expect(lines('silent', all)).to.have.length(0)
  })
})
