import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Command } from 'commander'
import { ErrandError } from '../errors.js'

const FILE = 'async.config.yaml'
const DATA_DIR = '.errand'

/** `errand init` */
export const initCommand = (): Command =>
  new Command('init').description(`write ${FILE} into this folder`).action(() => {
    const folder = process.cwd()
    writeConfig(join(folder, FILE))
    const ignored = ignoreData(join(folder, '.gitignore'))
    console.log(`Wrote ${FILE}${ignored ? ` and added ${DATA_DIR} to .gitignore` : ''}. Two lines are left to add:\n\n${NEXT}`)
  })

const NEXT = `  @asyncTask()          on a method of a service:  import { asyncTask } from 'errand'
  await start()         in the server, before it listens:  import { start } from 'errand'

Then start the server. \`npx errand doctor\` checks that everything is in place.`

function writeConfig(file: string): void {
  try {
    writeFileSync(file, TEMPLATE, { flag: 'wx' })
  } catch (cause) {
    const isThere = cause instanceof Error && 'code' in cause && cause.code === 'EEXIST'
    const why = isThere ? 'it is there already. Edit it, or remove it first.' : 'this folder cannot be written to.'
    throw new ErrandError('OPTION_INVALID', `Cannot write ${file}: ${why}`, { cause })
  }
}

/** The folder has the sealing key in it, which must not be committed. */
function ignoreData(file: string): boolean {
  const text = existsSync(file) ? readFileSync(file, 'utf8') : ''
  if (text.split(/\r?\n/).some((line) => /^\/?\.errand\/?$/.test(line.trim()))) return false
  appendFileSync(file, `${text === '' || text.endsWith('\n') ? '' : '\n'}${DATA_DIR}\n`)
  return true
}

const TEMPLATE = `# yaml-language-server: $schema=./node_modules/errand/schema/async.config.schema.json
# Every key may be left out; what stands behind a # is the default.
withAsync: true

# Globs of the modules with tasks. Without them: the modules in which the tasks of the server were declared.
# services: [./services/*.ts]

# sqlite: the embedded queue, for one host. For several hosts: amqps://app:\${RABBIT_PASSWORD}@rabbit.example/shop
# broker: sqlite

# The sealing key, needed with a broker on another host: \`npx errand key\` prints one. Without: a key file in dataDir.
# key: \${ERRAND_KEY}

# dataDir: .errand
# headers: [authorization, accept-language, x-request-id, traceparent, tracestate]
# outsideRequest: enqueue
# retries: 0
# expires: 30d
# resultTimeout: 30s

# worker:
#   spawn: true
#   processes: 1
#   queues: [default]
#   grace: 30s
#   maxMemory: 0
#   keepAlive: true
#   logLevel: info
`
