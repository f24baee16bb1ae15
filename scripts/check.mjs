// npm run check: the one gate before a change is merged: compiles, lints, runs every test (docs and package among them).
import { bin, inherit, runScript, setup, step } from './setup.mjs'

await runScript(async () => {
  await setup()
  await step('Linting', process.execPath, [bin('oxlint'), '--type-aware', '--deny-warnings'])
  return inherit(process.execPath, [bin('mocha')])
})
