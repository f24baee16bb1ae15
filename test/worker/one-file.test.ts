import { expect } from 'chai'
import { readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import { startProgram, type Program } from '../kit/process.js'
import { eachScope } from '../kit/temporary.js'

const TSX = createRequire(import.meta.url).resolve('tsx/cli')

describe('A script that declares, starts and calls its tasks in one file', () => {
  const scope = eachScope()
  const notes = (): readonly string[] => readFileSync(scope().file('notes'), 'utf8').split('\n').slice(0, -1)

  const head = (): string => `
    import { appendFileSync } from 'node:fs'
    import { asyncTask, start } from ${JSON.stringify(import.meta.resolve('errand'))}
    const options = { withAsync: true, service: 'script', services: [], dataDir: ${JSON.stringify(scope().file('data'))}, worker: { processes: 1 } }
    const note = text => appendFileSync(${JSON.stringify(scope().file('notes'))}, text + (process.connected ? ' in a worker' : ' here') + '\\n')
    const logger = { debug() {}, info: console.log, warn: console.log, error: console.log }
  `
  const run = (name: string, code: string, ...flags: readonly string[]): Program => {
    writeFileSync(scope().file(name), head() + code)
    const file = pathToFileURL(scope().file(name))
    if (flags.length === 0) return startProgram(scope(), file)
    return startProgram(scope(), pathToFileURL(TSX), { args: [scope().file(name)], ownGroup: true })
  }

  it('sends each call once and gets its result, when tsx runs it', async () => {
    const program = run('script.mts', `
      class Mail {
        constructor(readonly from: string) {}
        @asyncTask() async send(to: string) { note('from ' + this.from + ' to ' + to) }
        @asyncTask({ result: true }) async add(a: number, b: number) { return a + b }
      }
      export const mail = new Mail('errand')
      const running = await start({ ...options, logger })
      await mail.send('ada')
      console.log('sum ' + (await mail.add(1, 2)))
      await running.stop()
    `, 'tsx')

    await program.line(/^sum 3$/)
    expect(await program.exited).to.deep.equal({ code: 0, signal: null })

    expect(notes()).to.deep.equal(['from errand to ada in a worker'])
    expect(program.output.match(/Mail\.send is called while the worker loads its module; it is not sent from here/g)).to.have.length(1)
  })

  it('sends each call once and loads to its end, when it is JavaScript and awaits no call', async () => {
    const program = run('script.mjs', `
      const send = asyncTask(async to => note('to ' + to), { name: 'send' })
      const add = asyncTask(async (a, b) => a + b, { name: 'add', result: true })
      const running = await start({ ...options, logger })
      void send('ada')
      void send('grace')
      void add(1, 2).then(async sum => {
        console.log('sum ' + sum)
        await running.stop()
      })
      export const late = asyncTask(async () => {}, { name: 'late' })
    `)

    await program.line(/^sum 3$/)
    await program.exited

    expect([...notes()].sort()).to.deep.equal(['to ada in a worker', 'to grace in a worker'])
    expect(program.output).to.contain('Runs 3 task(s)')
  })
})
