import { expect } from 'chai'
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const PROGRAM = `
  import { start } from 'errand'
  import { contextSettings } from '#src/core/context-settings.js'
  const before = contextSettings().headers
  const running = await start({ withAsync: false, headers: ['x-tenant'] })
  console.log(JSON.stringify([before, contextSettings().headers]))
  await running.stop()`

describe('The headers that a context holds', () => {
  it('are those of the configuration as soon as start() has read it, also where bodies run in the server', async function () {
    this.timeout(120_000) // a process starts
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', PROGRAM])

    const [before, after] = JSON.parse(stdout) as string[][] // printed by the program above
    expect(before).to.include('authorization').and.not.to.include('cookie')
    expect(after).to.deep.equal(['x-tenant'])
  })
})
