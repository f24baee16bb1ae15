import { nodeRefusal } from './newer-node.js'
import type { Servers } from './servers.js'
import type { System } from './system.js'

/** Of the systems that were asked for: those that can be measured here, and a line for each other one that says why not. */
export interface Choice {
  readonly systems: readonly System[]
  readonly leftOut: readonly string[]
}

/**
 * Leaves out what refuses, peers whose server cannot be started, and Errand with states on a server that cannot.
 *
 * @throws what kept the server of a limit or of Errand from starting: these are never left out
 */
export async function choose(asked: readonly System[], servers: Pick<Servers, 'open'>): Promise<Choice> {
  const systems: System[] = []
  const leftOut: string[] = []
  for (const system of asked) {
    const why = nodeRefusal(system) ?? system.refusal?.() ?? (await missingServer(system, servers))
    if (why === undefined) systems.push(system)
    else leftOut.push(`left out: ${system.name}: ${why}`)
  }
  return { systems, leftOut }
}

async function missingServer(system: System, servers: Pick<Servers, 'open'>): Promise<string | undefined> {
  try {
    await servers.open([system])
    return undefined
  } catch (error) {
    // a row that shows what another store costs may be missing, the others are not compared with it
    if (system.packages === undefined && system.store === undefined) throw error
    return error instanceof Error ? error.message : String(error)
  }
}
