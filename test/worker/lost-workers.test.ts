import { expect } from 'chai'
import { writeFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { startProgram } from '../kit/process.js'
import { eachScope } from '../kit/temporary.js'

describe('A server whose workers are given up', () => {
  const scope = eachScope()

  it('rejects calls for a result at once, and keeps the others for later', async () => {
    writeFileSync(scope().file('broken.mjs'), 'throw new TypeError("no database here")')
    writeFileSync(scope().file('server.mjs'), `
      import { asyncTask, start } from ${JSON.stringify(import.meta.resolve('errand'))}
      const folder = ${JSON.stringify(scope().folder())}
      const send = asyncTask(async () => {}, { name: 'send' })
      const add = asyncTask(async (a, b) => a + b, { name: 'add', result: true, resultTimeout: '10m' })
      const running = await start({ withAsync: true, service: 'shop', services: [folder + '/broken.mjs'], dataDir: folder + '/data' })
      await running.ready.catch(error => console.log('not ready: ' + error.code))
      await add(1, 2).catch(error => console.log('add: ' + error.code + ' ' + error.message))
      await send()
      console.log('sent')
      await running.stop()
    `)

    const program = startProgram(scope(), pathToFileURL(scope().file('server.mjs')))

    await program.line(/^sent$/)
    expect(program.output).to.match(/^not ready: WORKER_CRASH_LOOP$/m).and.match(/^add: WORKER_CRASH_LOOP Cannot get the result of add, and it was not sent/m)
    await program.exited
  })
})
