// npm run test:matrix: the compiled tests on the oldest supported Node and on the newer lines.
// The platform packages are installed under aliases without scripts and links: the `node` package would put its own binary
// first in the PATH of every npm script.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bin, inherit, npm, root, runScript, setup, step } from './setup.mjs'

const FOLDER = join(root, '.matrix')
const ALL = ['20.19.0', '22', '24']

const SERVERS = ['broker/rabbitmq-[a-e]*', 'broker/rabbitmq-[f-z]*', 'acceptance/outbox']
const ONCE = ['architecture', 'docs', 'package', 'types', 'bench/*', ...SERVERS, 'browser/*']

/**
 * Tests of the sources, of the package, of the benchmark and of what servers and browsers do say the same on every Node and are run on
 * one only. The contract of brokers on RabbitMQ, and workers on it, are run on all.
 */
export const NOT_PER_NODE = ONCE.map((name) => `build/test/${name}.test.js`)

/** Installs the given Node versions beside the project. @returns {Promise<{ version: string, executable: string }[]>} */
export async function installNodes(wanted) {
  const missing = wanted.filter((version) => !existsSync(executableOf(version)))
  if (missing.length > 0) {
    mkdirSync(FOLDER, { recursive: true })
    const manifest = join(FOLDER, 'package.json')
    if (!existsSync(manifest)) writeFileSync(manifest, '{ "private": true }\n')
    const platform = `${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`
    const packages = missing.map((version) => `${aliasOf(version)}@npm:node-${platform}@${version}`)
    const flags = ['--prefix', FOLDER, '--ignore-scripts', '--no-bin-links', '--no-audit', '--no-fund']
    await step(`Installing Node ${missing.join(', ')}`, ...npm('install', ...flags, ...packages))
  }
  return wanted.map((version) => ({ version: exactVersion(version), executable: executableOf(version) }))
}

/** The program of a Node that was installed so, if it was. */
export const installedNode = (version) => (existsSync(executableOf(version)) ? executableOf(version) : undefined)

const aliasOf = (version) => `n${version}`

const executableOf = (version) =>
  join(FOLDER, 'node_modules', aliasOf(version), 'bin', process.platform === 'win32' ? 'node.exe' : 'node')

function exactVersion(version) {
  return JSON.parse(readFileSync(join(FOLDER, 'node_modules', aliasOf(version), 'package.json'), 'utf8')).version
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await runScript(async () => {
    await setup()
    const results = []
    const ignored = NOT_PER_NODE.flatMap((pattern) => ['--ignore', pattern])
    for (const { version, executable } of await installNodes(ALL)) {
      console.log(`\nNode ${execFileSync(executable, ['--version'], { encoding: 'utf8' }).trim()}`)
      results.push({ version, code: await inherit(executable, [bin('mocha'), ...ignored, ...process.argv.slice(2)]) })
    }
    for (const { version, code } of results) console.log(`Node ${version}: ${code === 0 ? 'passed' : 'failed'}`)
    return results.every(({ code }) => code === 0) ? 0 : 1
  })
}
