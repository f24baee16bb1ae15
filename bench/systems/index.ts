import type { System } from '../system.js'
import { brokersAlone } from './broker-alone.js'
import { errandSystems } from './errand.js'
import { peers } from './peers/index.js'
import { rawRabbitmq, rawRabbitmqNarrow } from './raw-rabbitmq.js'
import { rawSqlite } from './raw-sqlite.js'

/** The limits and Errand, in the order of the tables. */
export const ownSystems: readonly System[] = [rawRabbitmq, rawRabbitmqNarrow, rawSqlite, ...errandSystems, ...brokersAlone]

/** Every system there is. */
export const allSystems: readonly System[] = [...ownSystems, ...peers]

/** @throws Error where there is none of that name */
export function findSystem(name: string): System {
  const found = allSystems.find((system) => system.name === name)
  if (found === undefined) throw new Error(`There is no system "${name}"; there are ${allSystems.map((system) => system.name).join(', ')}.`)
  return found
}
