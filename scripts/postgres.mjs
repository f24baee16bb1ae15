#!/usr/bin/env node
// Makes sure that the tests have a PostgreSQL server to talk to, and says what it found.
//
//   node scripts/postgres.mjs            says in words what is there, installs where that is allowed
//   node scripts/postgres.mjs --json     the same as one line of JSON on standard output
//
// In this order: a server at $POSTGRES_URL; an installed server (private ones are started from it); installation with apt-get, when
// root and allowed. Installing is allowed in CI (CI=true), with ERRAND_ALLOW_INSTALL=1 and with --install. Exit code 1 when nothing
// is there, which fails a run in CI.
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'

/** Debian keeps one folder for each version. */
const DEBIAN = '/usr/lib/postgresql'
const BIN_FOLDERS = ['/usr/bin', '/usr/local/bin', '/usr/pgsql/bin', '/opt/homebrew/opt/postgresql/bin', '/usr/local/opt/postgresql/bin']
const POLICY = '/usr/sbin/policy-rc.d'

/** What there is: `{ url?, bin?, missing?: why }`. */
export function findPostgres({ mayInstall = installAllowed(), say = () => {} } = {}) {
  const url = process.env.POSTGRES_URL ? { url: process.env.POSTGRES_URL } : {}
  const bin = installedServer()
  if (bin !== undefined) return { ...url, bin }
  if (url.url !== undefined) return url
  const refusal = mayInstall ? install(say) : 'installing it is not allowed here (set ERRAND_ALLOW_INSTALL=1)'
  const installed = installedServer()
  if (installed !== undefined) return { bin: installed }
  return {
    missing:
      `no PostgreSQL: POSTGRES_URL is not set, no server in ${[DEBIAN, ...BIN_FOLDERS].join(', ')}, and ${refusal}. ` +
      'Do one of these: apt-get install postgresql; brew install postgresql; set POSTGRES_URL.',
  }
}

function installAllowed() {
  return process.env.CI === 'true' || process.env.ERRAND_ALLOW_INSTALL === '1' || process.argv.includes('--install')
}

/** The folder of the newest server. */
function installedServer() {
  const versions = existsSync(DEBIAN) ? readdirSync(DEBIAN).sort((a, b) => Number(b) - Number(a)) : []
  const folders = [...versions.map((version) => `${DEBIAN}/${version}/bin`), ...BIN_FOLDERS]
  return folders.find((folder) => existsSync(`${folder}/postgres`) && existsSync(`${folder}/initdb`))
}

/** Installs the package without starting its service; answers why it could not. */
function install(say) {
  if (process.getuid?.() !== 0) return 'only root can install it'
  if (spawnSync('apt-get', ['--version']).status !== 0) return 'there is no apt-get'
  const lift = denyServiceStart()
  try {
    const failed = apt(say, ['update']) ?? apt(say, ['install', '-y', '--no-install-recommends', 'postgresql'])
    return failed ?? 'the package brought no server'
  } finally {
    lift()
  }
}

function apt(say, args) {
  say(`apt-get ${args.join(' ')}`)
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' }
  const run = spawnSync('apt-get', ['-qq', ...args], { env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
  return run.status === 0 ? undefined : `apt-get ${args[0]} failed: ${run.stderr.trim().split('\n').at(-1)}`
}

/** The package would start its service on the default port; tests start private servers of their own. */
function denyServiceStart() {
  if (existsSync(POLICY)) return () => {}
  writeFileSync(POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 })
  return () => rmSync(POLICY, { force: true })
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
