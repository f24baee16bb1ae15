import { valuesOf } from './ratios.js'
import type { Measured } from './rounds.js'
import { median, show } from './spread.js'
import type { System } from './system.js'

/** The values that tell most, by what stands above their column. */
const COLUMNS: Readonly<Record<string, string>> = {
  'dispatch, tasks/s': 'dispatch, 1,000 in flight, tasks/s',
  'end to end, tasks/s': 'end to end, tasks/s',
  'CPU s per 10,000': 'end to end, CPU s per 10,000, sum',
  'idle to body, p50 ms': 'idle, call to body, p50 ms',
  'result, p50 ms': 'result, one at a time, p50 ms',
  'results/s': 'result, 100 in flight, results/s',
  'start, ms': 'start, process to first body, ms',
  'worker, MB': 'start, worker idle, MB',
}

/** One row for each system, with what tells most of it: medians. Empty where none of that was measured. */
export function glanceAt(systems: readonly System[], measured: readonly Measured[]): string {
  const columns = Object.entries(COLUMNS).filter(([, title]) => measured.some(({ values }) => values[title] !== undefined))
  if (columns.length === 0) return ''
  const lines = systems.map(({ name }) => {
    const cells = columns.map(([, title]) => valuesOf(title, name, measured)).map((values) => (values.length === 0 ? '-' : show(median(values))))
    return [name, ...cells]
  })
  return [['system', ...columns.map(([heading]) => heading)], ['---', ...columns.map(() => '---:')], ...lines].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}
