#!/usr/bin/env node
// Makes sure that the bench has a Redis server for the systems that need one, and says what it found.
//
//   node scripts/redis.mjs            says in words what is there, installs where that is allowed
//   node scripts/redis.mjs --json     the same as one line of JSON on standard output
//
// In this order: an installed server (private ones are started from it); installation with apt-get, when root and allowed. Installing
// is allowed in CI (CI=true), with ERRAND_ALLOW_INSTALL=1 and with --install. Exit code 1 when nothing is there.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { installAllowed, installPackage } from './apt.mjs'

const BIN_FOLDERS = ['/usr/bin', '/usr/local/bin', '/opt/homebrew/opt/redis/bin', '/usr/local/opt/redis/bin']

/** What there is: `{ bin?: the program, version?, missing?: why }`. */
export function findRedis({ mayInstall = installAllowed(), say = () => {} } = {}) {
  const found = installedServer()
  if (found !== undefined) return found
  const refusal = mayInstall ? installPackage('redis-server', say) : 'installing it is not allowed here (set ERRAND_ALLOW_INSTALL=1)'
  return (
    installedServer() ?? {
      missing:
        `no Redis: no redis-server in ${BIN_FOLDERS.join(', ')}, and ${refusal}. ` +
        'Do one of these: apt-get install redis-server; brew install redis.',
    }
  )
}

function installedServer() {
  const bin = BIN_FOLDERS.map((folder) => `${folder}/redis-server`).find((file) => existsSync(file))
  if (bin === undefined) return undefined
  const { stdout } = spawnSync(bin, ['--version'], { encoding: 'utf8' })
  return { bin, version: /v=(\S+)/.exec(stdout ?? '')?.[1] }
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const found = findRedis({ say: (line) => process.stderr.write(`${line}\n`) })
  const words = found.missing ?? `Redis: private servers of ${found.bin}, version ${found.version}.`
  process.stdout.write(process.argv.includes('--json') ? `${JSON.stringify(found)}\n` : `${words}\n`)
  process.exitCode = found.missing === undefined ? 0 : 1
}
