import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { assert } from 'chai'
import type { ConfigInput } from 'errand'
import { endWithTest, startProgram, type Program } from '../kit/process.js'
import { eachScope, type Scope } from '../kit/temporary.js'
import { until } from '../kit/until.js'

const at = (name: string): URL => new URL(`../fixtures/ancestor/${name}`, import.meta.url)

describe('An Express server whose routes call tasks', () => {
  const scope = eachScope()

  it('answers GET /async at once, and soon after the worker has written the code to a file', async () => {
    const { server, get, codes } = await serve(scope())

    const { status, body } = await get('/async')
    const [written] = await until('the code', codes)

    assert.equal(status, 200)
    assert.deepEqual(body, { message: `Writing code ${String(written?.['code'])}` })
    assert.notEqual(written?.['pid'], server.pid)
  })

  it('answers GET /asyncdie with 200; the error reaches the reporter in the worker, and nobody else', async () => {
    const { server, get, codes, reports } = await serve(scope())

    const { status, body } = await get('/asyncdie')
    await until('the report', reports)
    // by the end of a later task, whatever else the failure causes has happened
    await get('/async')
    const [written] = await until('the code', codes)

    assert.deepEqual({ status, body }, { status: 200, body: { message: 'Dying elsewhere' } })
    assert.lengthOf(reports() ?? [], 1)
    assert.include(reports()?.[0], { message: 'RangeError: die in a fire', task: 'Codes.die', pid: written?.['pid'] })
    assert.notEqual(written?.['pid'], server.pid)
    assert.notInclude(linesOfServer(server), 'die in a fire')
  })
})

interface Served {
  readonly server: Program
  readonly get: (path: string) => Promise<{ readonly status: number; readonly body: unknown }>
  /** What the tasks, and the reporter, wrote down. */
  readonly codes: () => Lines | undefined
  readonly reports: () => Lines | undefined
}

type Lines = readonly Readonly<Record<string, unknown>>[]

async function serve(scope: Scope): Promise<Served> {
  const files = { CODES: scope.file('codes'), REPORTS: scope.file('reports') }
  const config: ConfigInput = {
    withAsync: true,
    service: 'ancestor',
    dataDir: scope.file('data'),
    services: fileURLToPath(at('codes.js')),
    errorReporter: fileURLToPath(at('reporter.js')),
  }
  const server = startProgram(scope, at('server.js'), { args: [JSON.stringify(config)], env: files })
  const port = (await server.line(/^listening on \d+$/)).split(' ').at(-1)
  return {
    server,
    get: async (path) => {
      const response = await fetch(`http://127.0.0.1:${port}${path}`)
      return { status: response.status, body: await response.json() }
    },
    codes: () => read(scope, files.CODES),
    reports: () => read(scope, files.REPORTS),
  }
}

/** The lines of a file, once there are some; who wrote them ends with the test. */
function read(scope: Scope, file: string): Lines | undefined {
  if (!existsSync(file)) return undefined
  // written by the tasks and the reporter
  const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1).map((line) => JSON.parse(line) as Lines[number])
  endWithTest(scope, lines.map(({ pid }) => Number(pid)))
  return lines.length > 0 ? lines : undefined
}

/** What the server itself printed: the worker shares its streams and marks its lines. */
const linesOfServer = ({ lines }: Program): string => lines.filter((line) => !line.startsWith('worker[')).join('\n')
