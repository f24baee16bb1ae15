import type { Figure } from './figure.js'

/** What the code of a system costs in one process, without a broker. */
export const inProcess: Figure = {
  name: 'in-process',
  measure: async (bench) => {
    const costs = await bench.side().parts(bench.system, bench.place)
    return Object.fromEntries(Object.entries(costs ?? {}).map(([part, micros]) => [`in process, ${part}, us`, micros]))
  },
}
