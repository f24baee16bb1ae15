// Installs Debian packages for the tests, without starting the services that they bring.
import { spawnSync } from 'node:child_process'
import { existsSync, rmSync, writeFileSync } from 'node:fs'

/** What package scripts ask before they start a service. */
const POLICY = '/usr/sbin/policy-rc.d'

/** Whether what is missing may be installed: in continuous integration, and where somebody said so. */
export function installAllowed() {
  return process.env.CI === 'true' || process.env.ERRAND_ALLOW_INSTALL === '1' || process.argv.includes('--install')
}

/** Installs `name`, and what else is named; answers why nothing came of it, in the words of a sentence. */
export function installPackage(name, say, also = []) {
  if (process.getuid?.() !== 0) return 'only root can install it'
  if (spawnSync('apt-get', ['--version']).status !== 0) return 'there is no apt-get'
  const lift = denyServiceStart()
  try {
    const failed = apt(say, ['update']) ?? apt(say, ['install', '-y', '--no-install-recommends', name, ...also])
    return failed ?? 'the package did not bring it'
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
