import type { Place, System } from '../system.js'
import type { Costs } from './orders.js'

const CALLS = 500
const PASSES = 60
/** Until the compiler of Node has come to rest. */
const WARM_UP_PASSES = 12

/**
 * Microseconds of CPU of each part of a system, the lower quartile of many short passes that take turns. CPU and not time: what others do
 * on the machine meanwhile hardly counts.
 */
export async function costsOf(system: System, place: Place): Promise<Costs | undefined> {
  const parts = await system.openParts?.(place)
  if (parts === undefined) return undefined
  const passes = new Map<string, number[]>()
  for (let pass = -WARM_UP_PASSES; pass < PASSES; pass++) {
    for (const [name, part] of Object.entries(parts.all)) {
      const micros = await microsOf(part)
      if (pass >= 0) passes.set(name, [...(passes.get(name) ?? []), micros])
    }
  }
  await parts.close()
  return Object.fromEntries([...passes].map(([name, all]) => [name, all.toSorted((a, b) => a - b)[all.length >> 2] ?? Number.NaN]))
}

async function microsOf(part: (number: number) => unknown): Promise<number> {
  const before = process.cpuUsage()
  for (let number = 0; number < CALLS; number++) {
    const done = part(number)
    if (done instanceof Promise) await done
  }
  const { user, system } = process.cpuUsage(before)
  return (user + system) / CALLS
}
