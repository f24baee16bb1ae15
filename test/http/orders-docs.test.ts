import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect } from 'chai'
import type { ConfigInput } from 'errand'
import { blocksOf } from '../docs/markdown.js'
import { startProgram } from '../kit/process.js'
import { eachScope, type Scope } from '../kit/temporary.js'

const PAGE = 'docs/orders.md'
const SHOWN_ORIGIN = 'http://127.0.0.1:3000'
const SHOWN_UUID = '0b6e7c1e-6a3f-4b9e-8a55-6c1f0d2e9a41'
const EXAMPLE = new URL('../../examples/orders/', import.meta.url)
const SHOP = new URL('../fixtures/orders/shop.js', import.meta.url)
const OWN_WORKER = new URL('../fixtures/worker-app/own-worker.js', import.meta.url)

interface Shop {
  readonly origin: string
  startWorker(): Promise<void>
}

/** The server of the example, in a process of its own: other tests have orders of the same names. */
async function openShop(scope: Scope): Promise<Shop> {
  const settings: ConfigInput = {
    withAsync: true,
    service: 'orders-docs',
    environment: 'test',
    dataDir: scope.file('data'),
    services: fileURLToPath(new URL('services/reports.js', EXAMPLE)),
    worker: { spawn: false },
  }
  const server = startProgram(scope, SHOP, { args: [new URL('server.js', EXAMPLE).href, JSON.stringify(settings)] })
  const [, origin = ''] = (await server.line(/^listening/)).split(' ')
  const startWorker = async (): Promise<void> => {
    const worker = startProgram(scope, OWN_WORKER, { args: [JSON.stringify(settings)], env: { POSTBOX: scope.file('postbox') } })
    await worker.line(/^consuming/)
  }
  return { origin, startWorker }
}

/** What differs from run to run, as the page shows it. */
function shown(output: string, origin: string, uuid: string): string {
  return output
    .replaceAll('\r', '')
    .replaceAll(origin, SHOWN_ORIGIN)
    .replaceAll(uuid, SHOWN_UUID)
    .replace(/^(date|etag): .*$/gim, '$1: …')
    .replace(/"(created|updated|ended)":"[^"]*"/g, '"$1":"…"')
    .trimEnd()
}

describe('The page about orders', function () {
  this.timeout(120_000)
  const scope = eachScope()

  it('shows what curl gets', async () => {
    const { origin, startWorker } = await openShop(scope())
    let uuid = SHOWN_UUID
    const transcripts = blocksOf(readFileSync(PAGE, 'utf8')).filter(({ language }) => language === 'console')

    const got: string[] = []
    for (const [index, { text }] of transcripts.entries()) {
      if (index === 2) await startWorker()
      const command = text.split('\n', 1)[0]?.replace(/^\$ /, '') ?? ''
      const { stdout } = await promisify(execFile)('sh', ['-c', command.replaceAll(SHOWN_ORIGIN, origin).replaceAll(SHOWN_UUID, uuid)])
      if (index === 0) uuid = /orders\/(\S+)/.exec(stdout)?.[1] ?? ''
      got.push(`$ ${command}\n${shown(stdout, origin, uuid)}`)
    }

    expect(got).to.have.length(4)
    expect(got.join('\n\n')).to.equal(transcripts.map(({ text }) => text).join('\n\n'))
  })
})
