import { readFileSync } from 'node:fs'
import { setImmediate as turn } from 'node:timers/promises'
import { openDeadLetters, type OpenDeadLettersOptions } from 'errand'
import { loadConfig } from '#config/load.js'
import { compose } from '#src/compose.js'
import { silentLogger } from '#src/core/logger.js'

/** So many are in their queue when the process ends, and some more. */
const FIRST = 10

// a script that has only a configuration; the test wrote it
const options = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as OpenDeadLettersOptions
const { broker } = await compose(await loadConfig({ env: 'test', overrides: options }), { log: silentLogger })
await using letters = await openDeadLetters({ env: 'test', ...options })
const replaying = letters.replay({})
// from without it could be too late: a machine that is busy may have replayed all of them by then
while ((await broker.count('default')).waiting < FIRST) await turn()
process.kill(process.pid, 'SIGKILL')
await replaying
