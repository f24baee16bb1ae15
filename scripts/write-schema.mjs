// Writes schema/async.config.schema.json from config/schema.ts; run it after `tsc -b tsconfig.lib.json`.
import { mkdirSync, writeFileSync } from 'node:fs'
import { configJsonSchema } from '#config/json-schema.js'

const folder = new URL('../schema/', import.meta.url)
mkdirSync(folder, { recursive: true })
writeFileSync(new URL('async.config.schema.json', folder), `${JSON.stringify(configJsonSchema(), null, 2)}\n`)
