// Makes a checkout ready to run: packages installed, native module usable, TypeScript compiled. Needs Node and npm only.
import { spawn } from 'node:child_process'
import { existsSync, lstatSync, readFileSync, readdirSync, realpathSync, rmSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = dirname(dirname(fileURLToPath(import.meta.url)))

/** Installs, when needed, and compiles. @param {{ verbose?: boolean }} [options] */
export async function setup(options = {}) {
  refuseOldNode()
  const run = (title, command, args, more) => step(title, command, args, { ...more, verbose: options.verbose })
  if (!isInstalled()) await install(run)
  if (!nativeModuleWorks()) {
    await run('Building better-sqlite3 for this Node', ...npm('rebuild', 'better-sqlite3'), { env: buildEnvironment() })
  }
  removeOrphans()
  await compile(run)
}

/** The incremental build of TypeScript 7.0 can repeat an error that was corrected since; a build from scratch decides. */
async function compile(run) {
  const args = [bin('typescript', 'tsc'), '-b']
  const hadBuilt = existsSync(join(root, 'build', 'lib.tsbuildinfo'))
  if (hadBuilt && (await collect(process.execPath, args, { env: process.env })).code === 0) return
  await run('Compiling', process.execPath, [...args, ...(hadBuilt ? ['--force'] : [])])
}

/** The path of a command of an installed package, to be run by this very Node. */
export function bin(name, command = name) {
  const folder = join(root, 'node_modules', name)
  const { bin: commands } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  return join(folder, typeof commands === 'string' ? commands : commands[command])
}

/** Runs a command quietly; what it said is shown when it fails, or at once with `verbose`. */
export async function step(title, command, args, { verbose = false, env = process.env } = {}) {
  process.stdout.write(`${title} … ${verbose ? '\n' : ''}`)
  const began = performance.now()
  const { code, said } = await collect(command, args, { verbose, env })
  const took = `${((performance.now() - began) / 1000).toFixed(1)} s`
  if (code === 0) return void process.stdout.write(verbose ? `${title}: done in ${took}\n` : `${took}\n`)
  process.stdout.write(`failed after ${took}\n${said}\n`)
  throw new StepFailed(`${title} failed: ${[command, ...args].join(' ')} ended with ${code}`)
}

/** A step failed and has already said why. */
export class StepFailed extends Error {}

/** Runs `main` and turns a failed step into exit code 1 without a stack. @param {() => Promise<number>} main */
export async function runScript(main) {
  try {
    process.exitCode = await main()
  } catch (error) {
    console.error(error instanceof StepFailed ? error.message : error)
    process.exitCode = 1
  }
}

/** Runs a command with its output on this terminal, or told in one piece at its end; resolves to its exit code. */
export function inherit(command, args, env = process.env, { watch = () => {}, tell } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: root, env, stdio: tell === undefined ? 'inherit' : ['ignore', 'pipe', 'pipe'] })
    let said = ''
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (part) => (said += part))
    watch(child)
    child.once('error', reject)
    child.once('close', (code, signal) => {
      tell?.(said)
      resolve(code ?? `signal ${signal}`)
    })
  })
}

function collect(command, args, { verbose = false, env }) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: root, env, stdio: verbose ? 'inherit' : ['ignore', 'pipe', 'pipe'] })
    let said = ''
    child.stdout?.on('data', (part) => (said += part))
    child.stderr?.on('data', (part) => (said += part))
    child.once('error', (error) => resolve({ code: error.message, said }))
    child.once('close', (code, signal) => resolve({ code: code ?? `signal ${signal}`, said }))
  })
}

function refuseOldNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  if (major > 20 || (major === 20 && minor >= 19)) return
  throw new StepFailed(`Node ${process.versions.node} is too old: Errand needs Node 20.19 or newer.`)
}

/** npm as it came with this Node, so that a folder of other tools in PATH cannot change which one runs. */
export function npm(...args) {
  const cli = process.env.npm_execpath
  return cli?.endsWith('.js') ? [process.execPath, [cli, ...args]] : [process.platform === 'win32' ? 'npm.cmd' : 'npm', args]
}

async function install(run) {
  if (lstatSync(join(root, 'node_modules'), { throwIfNoEntry: false })?.isSymbolicLink()) {
    throw new StepFailed('node_modules is a link and does not match package-lock.json: install where it points to.')
  }
  const title = 'Installing packages (a native module may be compiled: one to three minutes)'
  await run(title, ...npm('ci', '--no-audit', '--no-fund'), { env: buildEnvironment() })
}

/**
 * node-gyp would download the headers of Node, which a closed network refuses; they are on the disk already where Node was
 * unpacked from its archive or installed with its development files.
 */
function buildEnvironment() {
  const env = { JOBS: '2', MAKEFLAGS: '-j2', ...process.env }
  const prefix = dirname(dirname(realpathSync(process.execPath)))
  if (existsSync(join(prefix, 'include', 'node', 'node.h'))) env.npm_config_nodedir ??= prefix
  return env
}

/** Compares contents, not times: a fresh checkout has fresh times, and an interrupted install leaves no hidden lock file. */
function isInstalled() {
  const wanted = readJson('package-lock.json')
  const present = readJson('node_modules/.package-lock.json')
  if (wanted === undefined || present === undefined) return false
  return Object.entries(wanted.packages).every(
    ([path, { version, optional }]) => path === '' || optional === true || present.packages[path]?.version === version,
  )
}

/** Node 22 and newer bring their own SQLite. A module that was compiled for another Node cannot be loaded. */
function nativeModuleWorks() {
  if (process.getBuiltinModule?.('node:sqlite') !== undefined) return true
  return existsSync(join(root, 'node_modules/better-sqlite3/build/Release/better_sqlite3.node')) && loads('better-sqlite3')
}

function loads(name) {
  try {
    const Database = process.getBuiltinModule('node:module').createRequire(join(root, 'package.json'))(name)
    new Database(':memory:').close()
    return true
  } catch {
    return false
  }
}

/** A compiled file whose source is gone would still be run, or published. */
function removeOrphans() {
  const compiled = {
    'build/test': 'test',
    'build/test-standard': 'test/standard',
    'build/examples': 'examples',
    'build/bench': 'bench',
  }
  const outputs = { dist: '.', ...compiled }
  for (const [output, source] of Object.entries(outputs)) {
    const folder = join(root, output)
    if (!existsSync(folder)) continue
    for (const name of readdirSync(folder, { recursive: true })) {
      const stem = /^(.*?)\.(?:js|d\.ts)(?:\.map)?$/.exec(name)?.[1]
      if (stem === undefined || existsSync(join(root, source, `${stem}.ts`))) continue
      rmSync(join(folder, name))
      console.log(`Removed ${relative(root, join(folder, name))}, whose source is gone`)
    }
  }
}

function readJson(path) {
  try {
    return JSON.parse(readFileSync(join(root, path), 'utf8'))
  } catch {
    return undefined
  }
}
