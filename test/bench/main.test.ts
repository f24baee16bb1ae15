import { expect } from 'chai'
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const MAIN = fileURLToPath(new URL('../../bench/main.js', import.meta.url))
/** The one of the systems that is left out on every machine. */
const WHY = /^left out: liteque: .+$/

interface Ended {
  readonly code: number | string | null | undefined
  readonly report: string
  readonly said: readonly string[]
}

const bench = (...args: readonly string[]): Promise<Ended> =>
  new Promise((resolve) => {
    execFile(process.execPath, ['--disable-warning=ExperimentalWarning', MAIN, ...args], (error, report, errors) => {
      resolve({ code: error === null ? 0 : error.code, report, said: errors.trimEnd().split('\n') })
    })
  })

describe('npm run bench', () => {
  it('says why every system was left out, prints no report, and ends with 1', async () => {
    const { code, report, said } = await bench('--systems', 'liteque')

    expect(said[0]).to.match(WHY)
    expect(said.slice(1)).to.deep.equal(['Nothing was measured: every system that was asked for was left out.'])
    expect(report).to.equal('')
    expect(code).to.equal(1)
  })

  it('measures the others where one was left out, says so before and after, and ends with 0', async () => {
    const { code, report, said } = await bench('--systems', 'liteque,raw-sqlite', '--figures', 'in-process', '--rounds', '1', '--patience', '0')

    expect(said[0]).to.match(WHY)
    expect(said.at(-1)).to.equal(said[0])
    expect(report).to.include('| raw-sqlite | ').and.not.to.include('| liteque | ')
    expect(code).to.equal(0)
  })

  it('says what it does not understand in one line before anything is measured, prints no report, and ends with 1', async () => {
    for (const args of [['--figures', 'speed'], ['--systems', 'errand'], ['--rounds', '0'], ['--fast'], ['--count', '-1']]) {
      const { code, report, said } = await bench(...args)

      expect(said, args.join(' ')).to.have.lengthOf(1)
      expect({ report, code }, args.join(' ')).to.deep.equal({ report: '', code: 1 })
    }
  })

  it('ends with 1 and without a report where no system has the figures that were asked for', async () => {
    const { code, report, said } = await bench('--systems', 'broker-sqlite', '--figures', 'in-process', '--rounds', '1', '--patience', '0')

    expect(said.at(-1)).to.equal('Nothing was measured: none of the systems has any of the figures that were asked for.')
    expect({ report, code }).to.deep.equal({ report: '', code: 1 })
  })
})
