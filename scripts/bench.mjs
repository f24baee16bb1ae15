// npm run bench: compiles, and measures Errand against the least that could be done; bench/README.md has the options.
//   npm run bench -- --peers    installs the other systems (bench/peers) and measures them too
import { join } from 'node:path'
import { installNodes, installedNode } from './matrix.mjs'
import { inherit, npm, root, runScript, setup, step, StepFailed } from './setup.mjs'

/** For systems that an older one cannot run: one of the lines that the tests are run on as well. */
const NEWER_NODE = '22'

await runScript(async () => {
  const given = process.argv.slice(2)
  await setup()
  if (given.includes('--peers')) await installPeers()
  const env = { ...process.env, ERRAND_BENCH_NEWER_NODE: installedNode(NEWER_NODE) }
  return inherit(process.execPath, ['--enable-source-maps', join(root, 'build', 'bench', 'main.js'), ...given], env)
})

/** They are no dependencies of the product, and lie in folders of their own; what is in `node22` needs Node 22.6 or later. */
async function installPeers() {
  const peers = join(root, 'bench', 'peers')
  await install(peers, 'Installing the other systems')
  try {
    if (!isNewEnough()) await installNodes([NEWER_NODE])
    // npm runs on this Node, and they do not
    await install(join(peers, 'node22'), 'Installing those that need a newer Node', '--engine-strict=false')
  } catch (error) {
    // the bench leaves them out, says why, and measures the others
    if (!(error instanceof StepFailed)) throw error
    console.error(error.message)
  }
}

async function install(folder, title, ...more) {
  const [command, args] = npm('ci', '--prefix', folder, '--no-audit', '--no-fund', ...more)
  await step(title, command, args)
}

function isNewEnough() {
  const [major, minor] = process.versions.node.split('.').map(Number)
  return major > 22 || (major === 22 && minor >= 6)
}
