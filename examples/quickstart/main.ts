// Starts the server, asks it for a report as Ada, kills the worker in the middle of the task, and shows that the report is finished.
import { existsSync, mkdtempSync, readFileSync, rmSync, watch } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { start } from 'errand'
import { createApp } from './server.js'

const folder = mkdtempSync(join(tmpdir(), 'errand-quickstart-'))
const journal = join(folder, 'journal.txt')
const running = await start({ dataDir: join(folder, 'data') })
const server = createApp(journal).listen(0, '127.0.0.1')

try {
  await running.ready
  await tour()
} finally {
  server.closeAllConnections()
  server.close()
  await running.stop()
  rmSync(folder, { recursive: true, force: true })
}

async function tour(): Promise<void> {
  say(`server    process ${process.pid}, queue: ${running.config.broker.kind}, worker spawned by start()`)
  say(`GET /me   -> ${await ask('GET', '/me')}`)
  say(`POST /reports/2026 as Ada, in French -> ${await ask('POST', '/reports/2026')}`)

  const begun = await journalLine(/attempt 1, pid (\d+).*begun/)
  say(`worker    ${begun[0]}`)
  process.kill(Number(begun[1]), 'SIGKILL')
  say(`kill -9   process ${begun[1]}, in the middle of the task`)

  const done = await journalLine(/attempt 2, pid (\d+).*done/)
  say(`worker    ${done[0]}`)
  if (done[1] === begun[1] || Number(done[1]) === process.pid) throw new Error('The task was to be finished by another process.')
  say('The report was finished by a new worker, as Ada, although its first worker died.')
}

async function ask(method: string, path: string): Promise<string> {
  const { port } = server.address() as AddressInfo // it listens on a TCP port
  const headers = { authorization: 'Bearer token-of-ada', 'accept-language': 'fr-FR' }
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { method, headers })
  return `${response.status} ${await response.text()}`
}

/** Resolves with the first line of the journal that matches, now or later. */
function journalLine(pattern: RegExp): Promise<RegExpExecArray> {
  return new Promise((resolve, reject) => {
    const look = (): void => {
      const match = pattern.exec(existsSync(journal) ? readFileSync(journal, 'utf8') : '')
      if (match === null) return
      watcher.close()
      clearTimeout(limit)
      resolve(match)
    }
    const watcher = watch(folder, look)
    const limit = setTimeout(() => {
      watcher.close()
      reject(new Error(`The journal never said ${pattern.source}.`))
    }, 30_000)
    look()
  })
}

function say(line: string): void {
  console.log(line)
}
