import type { Config } from '../config/config.js'
import { loadConfig } from '../config/load.js'
import type { ConfigInput } from '../config/schema.js'
import { compose } from './compose.js'
import { silentLogger } from './core/logger.js'
import { ErrandError } from './errors.js'
import { appState } from './runtime/app.js'
import { createDeadLetters, type DeadLetters } from './runtime/dead-letters/dead-letters.js'

/** Keys of the configuration, which win over the file, and where that is. */
export interface OpenDeadLettersOptions extends ConfigInput {
  /** The configuration file to read. @defaultValue `async.config.yaml`, searched from the current folder up */
  readonly config?: string | undefined
  /** Name of the environment: it picks `async.config.<env>.yaml`. @defaultValue `ERRAND_ENV`, `NODE_ENV`, `development` */
  readonly env?: string | undefined
}

/** Dead letters with a connection of their own. */
export type OpenDeadLetters = DeadLetters & AsyncDisposable

/**
 * The dead letters of this application. In a server or a worker they are reached by what runs there already; a script that has not
 * called `start()` reads the configuration, connects for each operation, and starts no worker.
 *
 * Beside what each operation says they throw ErrandError `CALL_INVALID` where nothing is queued (`withAsync: false`, or `broker: memory`
 * in another process), and what opening the broker throws.
 * @example
 * for (const { id, task, reason } of await deadLetters.list({ since: '1h' })) console.log(id, task, reason.text)
 * await deadLetters.replay({ code: 'TASK_UNKNOWN' })
 */
export const deadLetters: DeadLetters = {
  list: (options) => inThisProcess((letters) => letters.list(options)),
  get: (id) => inThisProcess((letters) => letters.get(id)),
  replay: (which, options) => inThisProcess((letters) => letters.replay(which, options)),
  discard: (which, options) => inThisProcess((letters) => letters.discard(which, options)),
}

/**
 * Opens the dead letters of the application of a configuration, for scripts that do several things with them. No worker is started.
 * @throws ErrandError `CALL_INVALID`, `CONFIG_INVALID`, `CONFIG_NOT_FOUND`, `KEY_MISSING`, `BROKER_UNREACHABLE`, `BROKER_REFUSED`,
 * `PACKAGE_MISSING`
 * @example
 * await using letters = await openDeadLetters({ env: 'production' })
 */
export async function openDeadLetters({ config: file, env, ...overrides }: OpenDeadLettersOptions = {}): Promise<OpenDeadLetters> {
  const { argumentsIn: _argumentsIn, ...letters } = await deadLettersOf(await loadConfig({ file, env, overrides }))
  return letters
}

/** Dead letters as an operator sees them. */
interface OperatorsDeadLetters extends OpenDeadLetters {
  /** The arguments in a message as they stand there, not decoded; `undefined` where it cannot be opened. */
  readonly argumentsIn: (body: Buffer) => readonly unknown[] | undefined
}

/** The dead letters of the application that `config` is for. */
export async function deadLettersOf(config: Config): Promise<OperatorsDeadLetters> {
  refuseWithoutQueues(config)
  const runtime = await compose(config, { log: silentLogger })
  return {
    ...createDeadLetters(runtime),
    argumentsIn: (body) => runtime.messages.seeCall(body).args,
    [Symbol.asyncDispose]: () => runtime.close(),
  }
}

async function inThisProcess<T>(work: (letters: DeadLetters) => Promise<T>): Promise<T> {
  const before = appState()
  if (before.kind === 'starting') await before.ready
  const state = appState()
  if (state.kind === 'on') return work(createDeadLetters(state.runtime))
  await using letters = await openDeadLetters()
  return await work(letters)
}

function refuseWithoutQueues({ withAsync, broker, environment }: Config): void {
  const why = withAsync
    ? 'with "broker: memory" they lie inside the process that called start()'
    : `"withAsync" is false in the environment ${environment}, so nothing is queued there. Name another one with ERRAND_ENV or --env`
  if (!withAsync || broker.kind === 'memory') throw new ErrandError('CALL_INVALID', `Cannot look for dead letters: ${why}.`)
}
