import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { inspect } from 'node:util'
import type { Config } from '../../config/config.js'
import { loadKeys } from '../../config/keys.js'
import { maskConfig } from '../../config/secrets.js'
import { expandGlob } from '../../worker/glob.js'
import { queryLeader } from '../../worker/supervisor/election.js'
import type { Broker } from '../broker/broker.js'
import { openBroker } from '../compose/broker.js'
import { silentLogger } from '../core/logger.js'
import { parseKeyRing } from '../core/seal/key-ring.js'
import { ErrandError } from '../errors.js'
import type { ConfigOptions } from './config-options.js'
import { configOf } from './config-options.js'
import { workerLine } from './status.js'

/** What a check found, with what to do when it is bad. */
export interface Finding {
  readonly kind: 'good' | 'bad' | 'note'
  readonly text: string
}

/** What is examined; earlier checks fill in what later ones need. */
export interface Patient {
  readonly options: ConfigOptions
  config: Config | undefined
  broker: Broker | undefined
}

/** A check answers `undefined` when there is nothing to check. */
interface Check {
  readonly name: string
  readonly check: (patient: Patient) => Promise<Finding | undefined>
}

/** In this order: a check relies on those before it. */
export const CHECKS: readonly Check[] = [
  { name: 'Node', check: checkNode },
  { name: 'configuration', check: checkConfig },
  { name: 'sealing key', check: checkKeys },
  { name: 'services', check: checkServices },
  { name: 'container', check: checkContainer },
  { name: 'broker', check: checkOpening },
  { name: 'round trip', check: checkRoundTrip },
  { name: 'worker', check: checkWorker },
]

const good = (text: string): Finding => ({ kind: 'good', text })
const bad = (text: string): Finding => ({ kind: 'bad', text })
const note = (text: string): Finding => ({ kind: 'note', text })

async function checkNode(): Promise<Finding> {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  const isNew = major > 20 || (major === 20 && minor >= 19)
  return isNew ? good(process.versions.node) : bad(`${process.versions.node} is too old; install 20.19 or later`)
}

async function checkConfig(patient: Patient): Promise<Finding> {
  return reporting(async () => {
    const config = await configOf(patient.options)
    if (config.file === undefined) return bad('there is no async.config.yaml here or above; run `errand init`')
    patient.config = config
    const shown = inspect(maskConfig(config), { depth: null, breakLength: 100 })
    const off = config.withAsync ? '' : ' (withAsync is false: tasks run where they are called, nothing else is checked)'
    return good(`${config.file}${off}\n${shown}`)
  })
}

async function checkKeys({ config }: Patient): Promise<Finding | undefined> {
  if (config?.withAsync !== true) return undefined
  return reporting(async () => {
    const keys = await loadKeys(config)
    parseKeyRing(keys)
    const from = config.keys.length > 0 ? 'from the configuration' : `in ${config.dataDir}`
    return good(`${keys.length === 1 ? 'one' : keys.length} ${from}`)
  })
}

async function checkServices({ config }: Patient): Promise<Finding | undefined> {
  if (config?.withAsync !== true) return undefined
  if (config.services.length === 0) {
    return note(
      'none named; a spawned worker loads the modules in which the server declared tasks, ' +
        '`errand worker` needs the key or a container that imports them',
    )
  }
  const found = await Promise.all(config.services.map(async (glob) => ({ glob, files: await expandGlob(glob, config.baseDir) })))
  const empty = found.filter(({ files }) => files.length === 0).map(({ glob }) => glob)
  if (empty.length > 0) return bad(`no file matches ${empty.join(', ')}; correct it: it starts in ${config.baseDir}`)
  return good(`${new Set(found.flatMap(({ files }) => files)).size} module(s)`)
}

async function checkContainer({ config }: Patient): Promise<Finding | undefined> {
  if (config?.withAsync !== true || config.container === undefined) return undefined
  const file = resolve(config.baseDir, config.container)
  return existsSync(file) ? good(file) : bad(`${file} does not exist; correct "container", which starts in ${config.baseDir}`)
}

/** Loads the driver and opens where messages wait. */
async function checkOpening(patient: Patient): Promise<Finding | undefined> {
  const { config } = patient
  if (config?.withAsync !== true) return undefined
  return reporting(async () => {
    patient.broker = await openBroker(config, silentLogger)
    return good(patient.broker.features.name)
  })
}

async function checkRoundTrip({ broker }: Patient): Promise<Finding | undefined> {
  if (broker === undefined) return undefined
  return reporting(async () => {
    const before = performance.now()
    await broker.ping()
    return good(`${(performance.now() - before).toFixed(1)} ms`)
  })
}

async function checkWorker({ config }: Patient): Promise<Finding | undefined> {
  if (config?.withAsync !== true) return undefined
  const leader = await queryLeader(config)
  const text = workerLine(config, leader?.pid, leader?.workers ?? [])
  return leader?.workers.some(({ state }) => state === 'running') === true ? good(text) : note(text)
}

/** The failures of the library are findings; their messages say what to do. */
async function reporting(check: () => Promise<Finding>): Promise<Finding> {
  try {
    return await check()
  } catch (error) {
    if (error instanceof ErrandError) return bad(`${error.message} [${error.code}]`)
    throw error
  }
}
