import { openSync, writeSync } from 'node:fs'

const files = new Map<string, number>()

/**
 * Appends a line to the file that the environment names. One `write` per line: whole lines also where several processes write, and
 * what was written outlives a kill of its process.
 */
export function record(variable: 'ERRAND_FAULT_CALLS' | 'ERRAND_FAULT_EFFECTS', ...words: readonly (string | number)[]): void {
  const path = process.env[variable] ?? ''
  const file = files.get(path) ?? openSync(path, 'a')
  files.set(path, file)
  writeSync(file, `${words.join(' ')} ${Date.now()}\n`)
}
