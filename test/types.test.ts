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
      const folder = mkdtempSync(join('build', 'types-'))
      try {
        writeFileSync(
          join(folder, 'planted.ts'),
          "import { asyncTask } from 'errand'\n// @ts-expect-error nothing is wrong here\nasyncTask()\n",
        )
        const config = { extends: resolve('test', 'types', `tsconfig.${dialect}.json`), include: ['planted.ts'] }
        writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config))
        expect(compile(folder).said).to.include('TS2578')
      } finally {
        rmSync(folder, { recursive: true, force: true })
      }
    })
  }
})

function compile(project: string): { status: number | null; said: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [COMPILER, '-p', project, '--pretty', 'false'], {
    encoding: 'utf8',
  })
  return { status, said: stdout + stderr }
}
