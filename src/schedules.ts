import type { Config } from '../config/config.js'
import { loadConfig } from '../config/load.js'
import { compose } from './compose.js'
import { silentLogger } from './core/logger.js'
import { appState } from './runtime/app.js'
import { listSchedules, type Schedule } from './runtime/schedule/list.js'

/** What is scheduled. */
export interface Schedules {
  /**
   * Every schedule, by name: those of the tasks whose modules this process has imported, and those of the configuration.
   * @throws ErrandError `SERVICE_LOAD_FAILED` for a schedule that cannot be, and what opening the broker and the store throws
   */
  list(): Promise<readonly Schedule[]>
}

/**
 * The schedules of this application. In a server or a worker they are read by what runs there already; a script that has not called
 * `start()` reads the configuration, and starts no worker.
 * @example
 * for (const { name, when, next } of await schedules.list()) console.log(name, when, next)
 */
export const schedules: Schedules = {
  async list() {
    const before = appState()
    if (before.kind === 'starting') await before.ready
    const state = appState()
    return state.kind === 'on' ? listSchedules(state.runtime) : schedulesIn(await loadConfig({}))
  },
}

/** The schedules of the application that `config` is for, of whose modules this process has imported what it has. */
export async function schedulesIn(config: Config): Promise<readonly Schedule[]> {
  const runtime = await compose(config, { log: silentLogger })
  try {
    return await listSchedules(runtime)
  } finally {
    await runtime.close()
  }
}
