// npm run bench: compiles, and measures Errand against the least that could be done; bench/README.md has the options.
//   npm run bench -- --peers    installs the other systems (bench/peers) and measures them too
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { inherit, npm, root, runScript, setup, step, StepFailed } from './setup.mjs'

await runScript(async () => {
  const given = process.argv.slice(2)
  await setup()
  if (given.includes('--peers')) await installPeers()
  return inherit(process.execPath, ['--enable-source-maps', join(root, 'build', 'bench', 'main.js'), ...given])
})

/** They are no dependencies of the product, and lie in folders of their own; `node22` is for Node 22.6 and later. */
async function installPeers() {
  const peers = join(root, 'bench', 'peers')
  const [major, minor] = process.versions.node.split('.').map(Number)
  for (const folder of major > 22 || (major === 22 && minor >= 6) ? [peers, join(peers, 'node22')] : [peers]) {
    if (!existsSync(join(folder, 'package.json'))) throw new StepFailed(`${folder} has no package.json.`)
    const [command, args] = npm('ci', '--prefix', folder, '--no-audit', '--no-fund')
    await step('Installing the other systems', command, args)
  }
}
