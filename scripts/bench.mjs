// npm run bench: compiles, and measures Errand against the least that could be done; bench/README.md has the options.
//   npm run bench -- --peers    installs the other systems (bench/peers) and measures them too
//   npm run bench -- codec      runs the benchmarks of single parts whose name has that text: codec, message, sqlite-broker, rabbitmq-broker
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { inherit, npm, root, runScript, setup, step, StepFailed } from './setup.mjs'

await runScript(async () => {
  const given = process.argv.slice(2)
  await setup()
  const folder = join(root, 'build', 'bench')
  if (given[0] === undefined || given[0].startsWith('--')) {
    if (given.includes('--peers')) await installPeers()
    return run(join(folder, 'main.js'), given)
  }
  const all = readdirSync(folder).filter((name) => name.endsWith('.bench.js'))
  const chosen = all.filter((name) => given.some((part) => name.includes(part)))
  if (chosen.length === 0) throw new StepFailed(`No benchmark matches; there are: ${all.join(', ')}.`)
  for (const name of chosen) {
    const code = await run(join(folder, name), [])
    if (code !== 0) return 1
  }
  return 0
})

function run(file, args) {
  return inherit(process.execPath, ['--enable-source-maps', file, ...args])
}

/** They are no dependencies of the product, and lie in a folder of their own. */
async function installPeers() {
  const folder = join(root, 'bench', 'peers')
  if (!existsSync(join(folder, 'package.json'))) throw new StepFailed('bench/peers has no package.json.')
  const [command, args] = npm('ci', '--prefix', folder, '--no-audit', '--no-fund')
  await step('Installing the other systems', command, args)
}
