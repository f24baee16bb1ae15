// Removes what the compiler wrote.
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './setup.mjs'

for (const folder of ['dist', 'build']) rmSync(join(root, folder), { recursive: true, force: true })
