import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { loadKit } from './kit.js'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const START_TIMEOUT_MS = 10_000

/** A Redis server with port and folder of its own. Gone when this process is gone. */
export interface RedisServer extends AsyncDisposable {
  readonly url: string
  readonly pid: number
  readonly version: string
}

interface Guard {
  watch(commands: readonly string[]): void
  end(): void
}

/** Starts one with its default snapshots, and with further settings: names and values in turns, as on its command line. */
export async function startRedis(settings: readonly string[]): Promise<RedisServer> {
  const { bin, version } = await findServer()
  const [{ Guard }, { freePort }] = await Promise.all([
    loadKit<{ readonly Guard: new () => Guard }>('guard'),
    loadKit<{ readonly freePort: () => Promise<number> }>('free-port'),
  ])
  const port = await freePort()
  const folder = mkdtempSync(join(tmpdir(), 'errand-redis-'))
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, ...settings]
  const server = spawn(bin, args, { stdio: 'ignore', detached: true })
  await once(server, 'spawn')
  const pid = server.pid ?? 0
  const guard = new Guard()
  guard.watch([`kill -9 ${pid} 2>/dev/null`, `rm -rf '${folder}'`])
  const dispose = async (): Promise<void> => {
    if (server.exitCode === null && server.signalCode === null) {
      const gone = once(server, 'exit')
      server.kill('SIGKILL')
      await gone
    }
    rmSync(folder, { recursive: true, force: true })
    guard.end()
  }
  const deadline = Date.now() + START_TIMEOUT_MS
  while (!(await answers(port))) {
    if (server.exitCode !== null || Date.now() > deadline) {
      await dispose()
      throw new Error(`Redis did not start on port ${port}`)
    }
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  return { url: `redis://127.0.0.1:${port}`, pid, version: `Redis ${version}`, [Symbol.asyncDispose]: dispose }
}

async function findServer(): Promise<{ readonly bin: string; readonly version: string }> {
  const run = promisify(execFile)(process.execPath, ['scripts/redis.mjs', '--json'], { cwd: ROOT })
  // a failed run of execFile carries what the program printed
  const { stdout } = await run.catch((error: unknown) => error as { readonly stdout: string })
  // the script prints this form
  const found = JSON.parse(stdout) as { readonly bin?: string; readonly version?: string; readonly missing?: string }
  if (found.bin === undefined) throw new Error(found.missing ?? 'scripts/redis.mjs did not say what it found')
  return { bin: found.bin, version: found.version ?? 'of an unknown version' }
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' })
    const answer = (is: boolean): void => {
      socket.destroy()
      resolve(is)
    }
    socket.once('connect', () => socket.write('PING\r\n'))
    socket.once('data', (data) => answer(data.toString().startsWith('+PONG')))
    for (const event of ['error', 'close']) socket.once(event, () => answer(false))
  })
}
