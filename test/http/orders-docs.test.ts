import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect } from 'chai'
import { start, type ConfigInput } from 'errand'
import { silentLogger } from '#src/core/logger.js'
import { blocksOf } from '../docs/markdown.js'
import { startProgram } from '../kit/process.js'
import { eachScope, type Scope } from '../kit/temporary.js'

const PAGE = 'docs/orders.md'
const SHOWN_ORIGIN = 'http://127.0.0.1:3000'
const SHOWN_UUID = '0b6e7c1e-6a3f-4b9e-8a55-6c1f0d2e9a41'
const EXAMPLE = new URL('../../examples/orders/', import.meta.url)
const OWN_WORKER = new URL('../fixtures/worker-app/own-worker.js', import.meta.url)

/** The server of the example, as a compiled program has it. */
async function createShop(): Promise<Server> {
  // tests are compiled apart from the examples
  const { createShop: create } = (await import(new URL('server.js', EXAMPLE).href)) as { readonly createShop: () => Server }
  return create()
}

async function open(scope: Scope): Promise<{ readonly origin: string; startWorker(): Promise<void> }> {
  const settings: ConfigInput = {
    withAsync: true,
    service: 'orders-docs',
    environment: 'test',
    dataDir: scope.file('data'),
    services: fileURLToPath(new URL('services/reports.js', EXAMPLE)),
    worker: { spawn: false },
  }
  const running = await start({ ...settings, logger: silentLogger })
  scope.defer(() => running.stop())
  const server = (await createShop()).listen(0, '127.0.0.1')
  scope.defer(() => {
    server.closeAllConnections()
    server.close()
  })
  await once(server, 'listening')
  const startWorker = async (): Promise<void> => {
    const worker = startProgram(scope, OWN_WORKER, { args: [JSON.stringify(settings)], env: { POSTBOX: scope.file('postbox') } })
    await worker.line(/^consuming/)
  }
  // an address of TCP has a port
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, startWorker }
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
  this.timeout(60_000)
  const scope = eachScope()

  it('shows what curl gets', async () => {
    const { origin, startWorker } = await open(scope())
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
