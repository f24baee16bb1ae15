import { glanceAt } from './glance.js'
import { goals } from './goals.js'
import { ratiosOf, valuesOf } from './ratios.js'
import type { Measured } from './rounds.js'
import { spread } from './spread.js'
import { summaryOf } from './summary.js'
import type { System } from './system.js'

const YARDSTICKS = ['raw-rabbitmq', 'raw-sqlite'] as const

export interface Report {
  readonly systems: readonly System[]
  readonly measured: readonly Measured[]
  readonly machine: string
  readonly versions: readonly string[]
  readonly command: string
}

/** The whole report as Markdown: what was wanted and what came out, how it was measured, and one table for each value. */
export function reportOf(report: Report): string {
  const { systems, measured, machine, versions, command } = report
  const glance = glanceAt(systems, measured)
  const failures = measured.flatMap(({ failures }) => failures)
  const parts = [
    '## Goals',
    summaryOf(goals, measured),
    ...(glance === '' ? [] : ['## At a glance', glance]),
    '## How it was measured',
    [`Machine: ${machine}`, `Versions: ${versions.join(', ')}`, `Command: \`${command}\``, `Others: ${othersOf(measured)}`].map((line) => `- ${line}`).join('\n'),
    systems.map(settingOf).join('\n'),
    failures.length === 0 ? '' : `Failed:\n\n${failures.map((failure) => `- ${failure.replaceAll('\n', ' ')}`).join('\n')}`,
    ...tablesOf(systems, measured),
  ]
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`
}

const settingOf = ({ name, setting, most }: System): string =>
  `- ${name}: ${setting}${most === undefined ? '' : `; no more than ${most.toLocaleString('en-US')} tasks or calls for each value`}`

/** How busy the machine was with other things. */
function othersOf(measured: readonly Measured[]): string {
  const shares = measured.flatMap(({ others }) => others.map((share) => share * 100))
  return `used ${spread(shares)} % of the CPU of the machine while a figure was measured; load average ${spread(measured.map(({ load }) => load))}`
}

/** Under a heading for each group of values, which is what stands before the first comma of a title. */
function tablesOf(systems: readonly System[], measured: readonly Measured[]): readonly string[] {
  const titles = [...new Set(measured.flatMap(({ values }) => Object.keys(values)))]
  const names = [...new Set(titles.map(withoutSize))]
  const groups = [...new Set(names.map(groupOf))]
  return groups.flatMap((group) => {
    const tables = names.filter((name) => groupOf(name) === group).map((name) => {
      const sized = titles.filter((title) => title !== name && withoutSize(title) === name)
      return sized.length > 0 ? sizedTableOf(name, sized, { systems, measured }) : tableOf(name, { systems, measured })
    })
    return [`## ${capital(group)}`, ...tables]
  })
}

const withoutSize = (title: string): string => title.split(': ')[0] ?? title
const groupOf = (title: string): string => title.split(', ')[0] ?? title
const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)

type Given = Pick<Report, 'systems' | 'measured'>

function tableOf(title: string, { systems, measured }: Given): string {
  const yardsticks = YARDSTICKS.filter((name) => valuesOf(title, name, measured).some((value) => value !== 0))
  const lines = systems.flatMap(({ name }) => {
    const values = valuesOf(title, name, measured)
    if (values.length === 0) return []
    const ratios = yardsticks.map((against) => (against === name ? '1' : spread(ratiosOf(title, measured, { system: name, against }))))
    return [rowOf([name, spread(values), ...ratios])]
  })
  return [`### ${capital(title)}`, '', ...headOf(['system', 'median (range)', ...yardsticks.map((name) => `x ${name}`)]), ...lines].join('\n')
}

/** One value at several sizes side by side, each with the ratio to the limit of that system. */
function sizedTableOf(name: string, titles: readonly string[], { systems, measured }: Given): string {
  const lines = systems.flatMap(({ name: system, yardstick }) => {
    const cells = titles.map((title) => {
      const ratios = system === yardstick ? [] : ratiosOf(title, measured, { system, against: yardstick })
      return `${spread(valuesOf(title, system, measured))}${ratios.length === 0 ? '' : `; x ${spread(ratios)}`}`
    })
    return cells.every((cell) => cell === '-') ? [] : [rowOf([system, ...cells])]
  })
  return [`### ${capital(name)}`, '', ...headOf(['system', ...titles.map((title) => title.slice(name.length + 2))]), ...lines].join('\n')
}

const rowOf = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
const headOf = (cells: readonly string[]): readonly string[] => [rowOf(cells), `|${'---|'.repeat(cells.length)}`]
