#!/usr/bin/env node
// Makes sure that the tests have a RabbitMQ server to talk to, and says what it found.
//
//   node scripts/rabbitmq.mjs            says in words what is there, installs where that is allowed
//   node scripts/rabbitmq.mjs --json     the same as one line of JSON on standard output
//
// In this order: the server in the folder $ERRAND_RABBIT_ROOT (scripts/rabbitmq4.mjs makes such folders), and only that when it is
// set; a server at $AMQP_URL; the installed package (private nodes are started from it); Docker, when its engine answers;
// installation with apt-get, when root and allowed. Installing is allowed in CI (CI=true), with ERRAND_ALLOW_INSTALL=1 and with
// --install. Exit code 1 when nothing is there, which fails a run in CI.
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { installAllowed, installPackage } from './apt.mjs'
import { serverIn } from './rabbitmq4.mjs'

const BIN_FOLDERS = ['/usr/lib/rabbitmq/bin', '/opt/homebrew/opt/rabbitmq/sbin', '/usr/local/opt/rabbitmq/sbin']

/** What there is: `{ url?, server?: { kind: 'installed', bin, version, root? } | { kind: 'docker' }, missing?: why }`. */
export function findRabbit({ mayInstall = installAllowed(), say = () => {} } = {}) {
  if (process.env.ERRAND_RABBIT_ROOT) return chosenServer(resolve(process.env.ERRAND_RABBIT_ROOT))
  const url = process.env.AMQP_URL ? { url: process.env.AMQP_URL } : {}
  const server = installedServer() ?? dockerServer()
  if (server !== undefined) return { ...url, server }
  if (url.url !== undefined) return url
  const refusal = mayInstall ? installPackage('rabbitmq-server', say) : 'installing it is not allowed here (set ERRAND_ALLOW_INSTALL=1)'
  const installed = installedServer()
  if (installed !== undefined) return { server: installed }
  return {
    missing:
      `no RabbitMQ: AMQP_URL is not set, no rabbitmq-server in ${BIN_FOLDERS.join(', ')}, no Docker engine answers, and ${refusal}. ` +
      'Do one of these: apt-get install rabbitmq-server; brew install rabbitmq; start Docker; set AMQP_URL.',
  }
}

function chosenServer(folder) {
  const server = serverIn(folder)
  if (server !== undefined) return { server: { kind: 'installed', ...server } }
  return { missing: `no RabbitMQ: ERRAND_RABBIT_ROOT is "${folder}", and no server is installed in that folder. Run node scripts/rabbitmq4.mjs.` }
}

function installedServer() {
  const bin = BIN_FOLDERS.find((folder) => existsSync(`${folder}/rabbitmq-server`))
  return bin === undefined ? undefined : { kind: 'installed', bin, version: versionIn(bin) }
}

/** The package keeps the server in a folder named after its version. */
function versionIn(bin) {
  const folders = existsSync(`${bin}/../lib`) ? readdirSync(`${bin}/../lib`) : []
  return folders.map((name) => /^rabbitmq_server-(.+)$/.exec(name)?.[1]).find((version) => version !== undefined)
}

function dockerServer() {
  const answer = spawnSync('docker', ['info', '--format', '{{.ServerVersion}}'], { timeout: 5000, encoding: 'utf8' })
  return answer.status === 0 && answer.stdout.trim() !== '' ? { kind: 'docker' } : undefined
}

function describe(found) {
  if (found.missing !== undefined) return found.missing
  const parts = []
  if (found.url !== undefined) parts.push('the server at $AMQP_URL')
  if (found.server?.kind === 'installed') parts.push(`private nodes of the server ${found.server.version ?? ''} in ${found.server.root ?? ''}${found.server.bin}`)
  if (found.server?.kind === 'docker') parts.push('containers of the image rabbitmq:4.1')
  return `RabbitMQ: ${parts.join(', ')}.`
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const found = findRabbit({ say: (line) => process.stderr.write(`${line}\n`) })
  process.stdout.write(process.argv.includes('--json') ? `${JSON.stringify(found)}\n` : `${describe(found)}\n`)
  process.exitCode = found.missing === undefined ? 0 : 1
}
