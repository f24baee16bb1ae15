import { readFileSync } from 'node:fs'
import { openDeadLetters, type OpenDeadLettersOptions } from 'errand'

// a script that has only a configuration; the test wrote it
const options = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as OpenDeadLettersOptions
await using letters = await openDeadLetters({ env: 'test', ...options })
await letters.replay({})
