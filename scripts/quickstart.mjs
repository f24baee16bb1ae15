// npm run quickstart: makes the checkout ready, then runs examples/quickstart: a server, its worker, and a task that survives
// the death of its worker.
import { join } from 'node:path'
import { inherit, root, runScript, setup } from './setup.mjs'

await runScript(async () => {
  await setup({ verbose: process.argv.includes('--verbose') })
  console.log()
  const code = await inherit(process.execPath, ['--enable-source-maps', join(root, 'build', 'examples', 'quickstart', 'main.js')])
  return code === 0 ? 0 : 1
})
