// npm run bench: compiles and runs the benchmarks, or those named on the command line.
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { inherit, root, runScript, setup, StepFailed } from './setup.mjs'

await runScript(async () => {
  await setup()
  const folder = join(root, 'build', 'bench')
  const all = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.bench.js')) : []
  const wanted = process.argv.slice(2)
  const chosen = all.filter((name) => wanted.length === 0 || wanted.some((part) => name.includes(part)))
  if (chosen.length === 0) throw new StepFailed(`No benchmark matches; there are: ${all.join(', ') || 'none'}.`)
  for (const name of chosen) {
    const code = await inherit(process.execPath, ['--enable-source-maps', join(folder, name)])
    if (code !== 0) return 1
  }
  return 0
})
