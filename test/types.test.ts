import { expect } from 'chai'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

const COMPILER = join('node_modules', 'typescript', 'bin', 'tsc')

describe('The compiler', function () {
  this.timeout(120_000)

  for (const dialect of ['legacy', 'standard']) {
    it(`accepts and refuses what it must, with ${dialect} decorators`, () => {
      const { status, said } = compile(join('test', 'types', `tsconfig.${dialect}.json`))
      expect(said).to.equal('')
      expect(status).to.equal(0)
    })

    it(`would say so when a wrong use were accepted, with ${dialect} decorators`, () => {
      expect(compilePlanted(dialect, ['// @ts-expect-error nothing is wrong here', 'asyncTask()'])).to.include('TS2578')
    })

    it(`tells how a task gets a value, and where a misspelt option stands, with ${dialect} decorators`, () => {
      const said = compilePlanted(dialect, [
        'export class Reports {',
        '  @asyncTask() async plain(): Promise<string> { return "" }',
        '  @asyncTask async bare(): Promise<string> { return "" }',
        '  @asyncTask() sync(): void {}',
        '  @asyncTask({ retrys: 1 }) async misspelt(): Promise<void> {}',
        '  @asyncTask({ result: true, retrys: 1 }) async misspeltToo(): Promise<string> { return "" }',
        '}',
      ])

      expect(at(said, 3)).to.include('A task with a value needs @asyncTask({ result: true })')
      expect(at(said, 4)).to.include('A task with a value needs @asyncTask({ result: true })')
      expect(at(said, 5)).to.include('A task answers a promise: make the method async')
      expect(at(said, '6,16')).to.include("'retrys' does not exist in type 'TaskOptions")
      expect(at(said, '7,30')).to.include("'retrys' does not exist in type 'TaskOptions")
    })
  }
})

function compilePlanted(dialect: string, lines: readonly string[]): string {
  const folder = mkdtempSync(join('build', 'types-'))
  try {
    writeFileSync(join(folder, 'planted.ts'), ["import { asyncTask } from 'errand'", ...lines, ''].join('\n'))
    const config = { extends: resolve('test', 'types', `tsconfig.${dialect}.json`), include: ['planted.ts'] }
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config))
    return compile(folder).said
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** What was said of one place: a line, or a line and column. */
function at(said: string, place: number | string): string {
  const entries = said.split(/\n(?=\S)/)
  return entries.filter((entry) => new RegExp(`\\.ts\\(${place}[,)]`).test(entry)).join('\n')
}

function compile(project: string): { status: number | null; said: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [COMPILER, '-p', project, '--pretty', 'false'], {
    encoding: 'utf8',
  })
  return { status, said: stdout + stderr }
}
