// npm run check: the one gate before a change is merged: compiles, lints, runs every test (docs and package among them).
import { join } from 'node:path'
import { bin, inherit, root, runScript, setup, step } from './setup.mjs'

await runScript(async () => {
  await setup()
  await step('Linting', process.execPath, [bin('oxlint'), '--type-aware', '--deny-warnings'])
  return inherit(process.execPath, [join(root, 'scripts', 'test.mjs')])
})
