#!/usr/bin/env node
// Makes sure that the tests have a PostgreSQL server to talk to, and says what it found.
//
//   node scripts/postgres.mjs            says in words what is there, installs where that is allowed
//   node scripts/postgres.mjs --json     the same as one line of JSON on standard output
//
// In this order: a server at $POSTGRES_URL; an installed server (private ones are started from it); installation with apt-get, when
// root and allowed. Installing is allowed in CI (CI=true), with ERRAND_ALLOW_INSTALL=1 and with --install. Exit code 1 when nothing
// is there, which fails a run in CI.
import { existsSync, readdirSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { installAllowed, installPackage } from './apt.mjs'

/** Debian keeps one folder for each version. */
const DEBIAN = '/usr/lib/postgresql'
const BIN_FOLDERS = ['/usr/bin', '/usr/local/bin', '/usr/pgsql/bin', '/opt/homebrew/opt/postgresql/bin', '/usr/local/opt/postgresql/bin']

/** What there is: `{ url?, bin?, missing?: why }`. */
export function findPostgres({ mayInstall = installAllowed(), say = () => {} } = {}) {
  const url = process.env.POSTGRES_URL ? { url: process.env.POSTGRES_URL } : {}
  const bin = installedServer()
  if (bin !== undefined) return { ...url, bin }
  if (url.url !== undefined) return url
  const refusal = mayInstall ? installPackage('postgresql', say) : 'installing it is not allowed here (set ERRAND_ALLOW_INSTALL=1)'
  const installed = installedServer()
  if (installed !== undefined) return { bin: installed }
  return {
    missing:
      `no PostgreSQL: POSTGRES_URL is not set, no server in ${[DEBIAN, ...BIN_FOLDERS].join(', ')}, and ${refusal}. ` +
      'Do one of these: apt-get install postgresql; brew install postgresql; set POSTGRES_URL.',
  }
}

/** The folder of the newest server. */
function installedServer() {
  const versions = existsSync(DEBIAN) ? readdirSync(DEBIAN).sort((a, b) => Number(b) - Number(a)) : []
  const folders = [...versions.map((version) => `${DEBIAN}/${version}/bin`), ...BIN_FOLDERS]
  return folders.find((folder) => existsSync(`${folder}/postgres`) && existsSync(`${folder}/initdb`))
}

function describe(found) {
  if (found.missing !== undefined) return found.missing
  const parts = []
  if (found.url !== undefined) parts.push('the server at $POSTGRES_URL')
  if (found.bin !== undefined) parts.push(`private servers from ${found.bin}`)
  return `PostgreSQL: ${parts.join(', ')}.`
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const found = findPostgres({ say: (line) => process.stderr.write(`${line}\n`) })
  process.stdout.write(process.argv.includes('--json') ? `${JSON.stringify(found)}\n` : `${describe(found)}\n`)
  process.exitCode = found.missing === undefined ? 0 : 1
}
