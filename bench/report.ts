import { quantile } from './figures/figure.js'
import type { Measured } from './rounds.js'
import type { System } from './system.js'

const YARDSTICKS = ['raw-rabbitmq', 'raw-sqlite'] as const

/** One table for each value, as Markdown: the middle, the range over the rounds, and the ratios to the limits of the same round. */
export function tablesOf(systems: readonly System[], measured: readonly Measured[]): string {
  const titles = [...new Set(measured.flatMap(({ values }) => Object.keys(values)))]
  return titles.map((title) => tableOf(title, systems, measured)).join('\n\n')
}

/** The ratios of one value of `system` to the limit `against`, each within one round. */
export function ratiosOf(title: string, measured: readonly Measured[], { system, against }: { system: string; against: string }): readonly number[] {
  const valueOf = (name: string, round: number): number | undefined =>
    measured.find((one) => one.system === name && one.round === round)?.values[title]
  return measured
    .filter((one) => one.system === system)
    .map(({ round }) => (valueOf(system, round) ?? Number.NaN) / (valueOf(against, round) ?? Number.NaN))
    .filter((ratio) => Number.isFinite(ratio))
}

/** How busy the machine was with other things. */
export function othersOf(measured: readonly Measured[]): string {
  const shares = measured.map(({ others }) => others * 100)
  const loads = measured.map(({ load }) => load)
  return `CPU used by others ${spread(shares)} % of the machine, load average ${spread(loads)}`
}

function tableOf(title: string, systems: readonly System[], measured: readonly Measured[]): string {
  const lines = systems.flatMap(({ name }) => {
    const values = measured.filter(({ system }) => system === name).flatMap(({ values }) => values[title] ?? [])
    if (values.length === 0) return []
    const ratios = YARDSTICKS.map((against) => spread(ratiosOf(title, measured, { system: name, against })))
    return [`| ${[name, spread(values), ...ratios].join(' | ')} |`]
  })
  return [`### ${title}`, '', `| system | median (min-max) | ${YARDSTICKS.map((name) => `x ${name}`).join(' | ')} |`, '|---|---|---|---|', ...lines].join('\n')
}

function spread(values: readonly number[]): string {
  if (values.length === 0) return '-'
  return `${show(quantile(values, 0.5))} (${show(Math.min(...values))}-${show(Math.max(...values))})`
}

function show(value: number): string {
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString('en-US')
  return value.toFixed(Math.abs(value) >= 10 ? 1 : 2)
}
