import { cpus, release, totalmem } from 'node:os'
import type { RowResult } from './run-row.js'

const HEAD = ['row', 'fault', 'on', 'calls', 'confirmed', 'refused', 'run', 'duplicates', 'lost', 'longest gap', 'took', 'result', 'notes']

/** The results as a table of Markdown. */
export function markdownTable(results: readonly RowResult[]): string {
  const rows = results.map(cellsOf)
  const widths = HEAD.map((title, column) => Math.max(title.length, ...rows.map((cells) => cells[column]?.length ?? 0)))
  const line = (cells: readonly string[]): string => `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`
  return [line(HEAD), `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`, ...rows.map(line)].join('\n')
}

/** One row in one line, while others still run. */
export const lineOf = (result: RowResult): string => cellsOf(result).join(' | ')

/** What the numbers were measured on. */
export function machine(): string {
  const all = cpus()
  const memory = Math.round(totalmem() / 2 ** 30)
  return `${all.length} × ${all[0]?.model.trim() ?? 'unknown processor'}, ${memory} GB, ${process.platform} ${release()}, Node ${process.version}`
}

function cellsOf({ row, version, counts, notes, failures, tookMs }: RowResult): readonly string[] {
  const numbers =
    counts === undefined
      ? ['', '', '', '', '', '', '']
      : [
          ...[counts.dispatched, counts.confirmed, counts.refused, counts.run, counts.duplicates, counts.lost].map(String),
          `${(counts.longestGapMs / 1000).toFixed(1)} s`,
        ]
  const outcome = failures.length === 0 ? 'passed' : 'FAILED'
  return [row.id, row.title, version, ...numbers, `${Math.round(tookMs / 1000)} s`, outcome, [...notes, ...failures].join('; ').replaceAll('|', '/')]
}
