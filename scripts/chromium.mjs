#!/usr/bin/env node
// Makes sure that the tests of pages have a Chromium to drive, and says what it found.
//
//   node scripts/chromium.mjs            says in words what is there, installs where that is allowed
//   node scripts/chromium.mjs --json     the same as one line of JSON on standard output
//
// In this order: the program at $CHROMIUM_PATH; an installed one; installation with apt-get, when root and allowed. Installing is
// allowed in CI (CI=true), with ERRAND_ALLOW_INSTALL=1 and with --install. Exit code 1 when nothing is there, which fails a run in CI.
import { existsSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { installAllowed, installPackage } from './apt.mjs'

const PROGRAMS = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/usr/local/bin/chromium',
  '/opt/homebrew/bin/chromium',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
]

/** Without any font, headless pages have no letters. */
const FONTS = 'fonts-dejavu-core'

/** What there is: `{ program?, missing?: why }`. */
export function findChromium({ mayInstall = installAllowed(), say = () => {} } = {}) {
  const given = process.env.CHROMIUM_PATH
  if (given) return existsSync(given) ? { program: given } : { missing: `no Chromium: CHROMIUM_PATH is "${given}", and there is no such file.` }
  const there = installedProgram()
  if (there !== undefined) return { program: there }
  const refusal = mayInstall ? installPackage('chromium', say, [FONTS]) : 'installing it is not allowed here (set ERRAND_ALLOW_INSTALL=1)'
  const installed = installedProgram()
  if (installed !== undefined) return { program: installed }
  return {
    missing:
      `no Chromium: CHROMIUM_PATH is not set, there is none of ${PROGRAMS.join(', ')}, and ${refusal}. ` +
      'Do one of these: apt-get install chromium; brew install chromium; set CHROMIUM_PATH.',
  }
}

const installedProgram = () => PROGRAMS.find((program) => existsSync(program))

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const found = findChromium({ say: (line) => process.stderr.write(`${line}\n`) })
  const words = found.missing ?? `Chromium: ${found.program}, headless.`
  process.stdout.write(process.argv.includes('--json') ? `${JSON.stringify(found)}\n` : `${words}\n`)
  process.exitCode = found.missing === undefined ? 0 : 1
}
