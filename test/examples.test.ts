import { expect } from 'chai'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

const root = process.cwd()

interface Ended {
  readonly code: number | null
  /** What it printed, without the lines of its worker. */
  readonly lines: readonly string[]
  readonly errors: string
}

/** Runs an example as its first line says; Node 22 would add that its SQLite is experimental. */
async function run(name: string): Promise<Ended> {
  const main = join(root, 'build', 'examples', name, 'main.js')
  const cwd = join(root, 'examples', name)
  const child = spawn(process.execPath, ['--enable-source-maps', '--disable-warning=ExperimentalWarning', main], { cwd, stdio: ['ignore', 'pipe', 'pipe'] })
  const [output, errors, [code]] = await Promise.all([
    textOf(child.stdout),
    textOf(child.stderr),
    once(child, 'close') as Promise<[number | null]>, // documented by Node
  ])
  return { code, errors, lines: output.split('\n').filter((line) => line !== '' && !line.startsWith('worker[')) }
}

async function textOf(stream: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

/** Of three frameworks: what a client sees is the same. */
const ORDERS_AND_PAGE = [
  '302: the order is followed at /async/orders/<uuid>',
  '201: completed, 100 %, Made for Ada, /reports/2026/<uuid>',
  '404: Bob sees nothing of it',
  'The year 2026 for Ada',
]

const EXPECTED: Readonly<Record<string, readonly string[]>> = {
  express: [
    'eve@example.org: Ada lädt Sie ein zu acme',
    'joe@example.org: Somebody invites you to acme',
    'kim@example.org: Support lädt Sie ein zu acme',
    'lou@example.org: The nightly script invites you to acme',
    'GET http://127.0.0.1:<port>/origin?why=tour, request tour-1, 127.0.0.1, cookie: undefined',
  ],
  fastify: ['Ada: 2 x tea, branch Graz', 'guest: 1 x jam, branch Wien', 'The worker saw the body {"hello":"worker"}'],
  frameworks: ['Express', 'Fastify', 'Koa', 'Hono', 'NestJS', 'node:http'].map((name) => `${name}: /reports/2026 <!doctype html><title>Report 2026 for Ada</title>`),
  nest: [
    'eve@example.org: Welcome, says Ada',
    'joe@example.org: The newsletter, asked for by a POST of Ada',
    'Ada, and the worker has the mail service',
  ],
  limits: ['No account had two runs at once.'],
  'cls-hooked': ['Ada: emptied basket 1 (no. 1)', 'Ada: emptied basket 2 (no. 2)', 'Ada: emptied basket 3 (no. 3)'],
  'dead-letters': [
    'user 7: TASK_FAILED after 2 runs, Error: the bank is closed',
    'user 7: TASK_FAILED after 2 runs, Error: the bank is closed',
    'user 8: TASK_FAILED after 2 runs, Error: the bank is closed',
    '2 would be replayed',
    'Ada: invoice 1: charged 120',
    'Ada: invoice 2: charged 80',
  ],
  schedules: [
    'ReportService.sweep: ReportService.sweep, every 1d',
    'ReportService.tick: ReportService.tick, every 1s',
    'ReportService.weekly: ReportService.weekly, 0 6 * * 1 (Europe/Rome)',
    'greet-ada: greet, * * * * * * (UTC)',
    'yearly: yearly, @yearly (UTC)',
    ],
  cancel: [
    'ExportService.everything is queued for in 0 ms',
    'Task <id> has no result: it was cancelled by 7 (ordered twice). Call it again if it should still run.',
    'ExportService.page is queued for in 3600000 ms',
    'ExportService.page is queued for in 3600000 ms',
    '2 of tonight',
    'exporting, ExportService.everything was cancelled',
  ],
  composition: [
    '13 for all',
    'ada@example.org: 2 rows for Ada',
    'ada@example.org: 1 rows for undefined',
    'ops@example.org: ShopService.sum was not run: a step before it, ShopService.price (id …), failed: nobody sells gold',
  ],
  orders: [
    '201 completed: Ready. http://127.0.0.1:<port>/reports/2026.pdf',
    '200 failed: There are no figures of 2027.',
    'archive: 2025 is gone',
    'ada: 2026: completed, Ready.',
    'ada: 2027: failed, There are no figures of 2027.',
    'printer: the cover of 2026',
    'printer: the figures of 2026',
  ],
  keys: ['not started', 'The processing has started.', '2026.pdf was printed', '2 letters'],
  states: [
    'completed after 1 run, for 7, 2026, completed',
    'for one pair of eyes',
    'TASK_NOT_FOUND',
    'The exchange rates could not be had. RangeError: the bank is closed',
  ],
  'waiting-page': [
    '<h1>Bereit',
    '303 /report/processing?process_id=<id>',
    '<!doctype html><html lang="en"><title>Report</title><h1>2026</h1><p>Made for Ada</p></html>',
    '404 for anybody else',
    'attachment; filename="invoice-17.csv" last-invoice=17; Path=/; SameSite=Lax; HttpOnly',
    '422',
    '2633345 bytes were streamed',
  ],
  'orders-and-page': ORDERS_AND_PAGE,
  'orders-and-page-fastify': ORDERS_AND_PAGE,
  'orders-and-page-nest': ORDERS_AND_PAGE,
  tasks: ['Every task did what the page about tasks says.'],
}

describe('The examples', () => {
  for (const [name, lines] of Object.entries(EXPECTED)) {
    it(`${name}: its tasks see what the callers knew, and it ends by itself`, async function () {
      this.timeout(120_000) // a server and a worker process start

      const ended = await run(name)

      expect(ended.errors).to.equal('')
      expect(ended.lines).to.deep.equal(lines)
      expect(ended.code).to.equal(0)
    })
  }
})
