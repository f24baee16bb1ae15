import { parseArgs } from 'node:util'
import { figures as allFigures } from './figures/index.js'
import type { Figure, Sizes } from './figures/figure.js'
import { allSystems, findSystem, ownSystems } from './systems/index.js'
import type { System } from './system.js'

/** What `npm run bench` was asked for. */
export interface Options {
  readonly systems: readonly System[]
  readonly figures: readonly Figure[]
  readonly sizes: Sizes
  readonly rounds: number
  readonly patienceMs: number
  readonly isSaved: boolean
  /** Whether the other systems were asked for. */
  readonly hasPeers: boolean
}

/** @throws Error with a sentence that says what cannot be meant: nothing is measured then */
export function optionsOf(args: readonly string[]): Options {
  const given = parse(args)
  return {
    systems: given.systems === undefined ? (given.peers ? allSystems : ownSystems) : namesIn('systems', given.systems).map(findSystem),
    figures: given.figures === undefined ? allFigures.filter(({ isLong }) => isLong !== true) : figuresOf(given.figures),
    sizes: { count: wholeOf('count', given.count), calls: wholeOf('calls', given.calls), backlog: wholeOf('backlog', given.backlog) },
    rounds: wholeOf('rounds', given.rounds),
    patienceMs: secondsOf('patience', given.patience) * 1000,
    isSaved: given.save,
    hasPeers: given.peers,
  }
}

/** Where a report is kept: what grows with what waits, and other systems, stand apart from what is measured often. */
export function reportPlaceOf({ hasPeers, figures }: Pick<Options, 'hasPeers' | 'figures'>): { readonly file: string; readonly title: string } {
  if (hasPeers) return { file: 'RESULTS-PEERS.md', title: 'Results beside other systems' }
  if (figures.every(({ isLong }) => isLong === true)) return { file: 'RESULTS-GROWTH.md', title: 'Results with many waiting tasks' }
  return { file: 'RESULTS.md', title: 'Results' }
}

function parse(args: readonly string[]) {
  const { values } = parseArgs({
    args: [...args],
    options: {
      peers: { type: 'boolean', default: false },
      systems: { type: 'string' },
      figures: { type: 'string' },
      rounds: { type: 'string', default: '5' },
      count: { type: 'string', default: '20000' },
      calls: { type: 'string', default: '500' },
      backlog: { type: 'string', default: '1000000' },
      patience: { type: 'string', default: '10' },
      save: { type: 'boolean', default: false },
    },
  })
  return values
}

/** In the order of the report, whatever the order in which they were named. */
function figuresOf(text: string): readonly Figure[] {
  const names = namesIn('figures', text)
  const known = allFigures.map(({ name }) => name)
  const unknown = names.find((name) => !known.includes(name))
  if (unknown !== undefined) throw new Error(`There is no figure "${unknown}"; there are ${known.join(', ')}.`)
  return allFigures.filter(({ name }) => names.includes(name))
}

/** A system that is measured twice in a round would be divided by either of the two. */
function namesIn(option: string, text: string): readonly string[] {
  const names = text.split(',').map((name) => name.trim())
  const twice = names.find((name, place) => names.indexOf(name) !== place)
  if (twice !== undefined) throw new Error(`--${option} names "${twice}" twice.`)
  return names
}

function wholeOf(option: string, text: string): number {
  if (!/^[0-9]{1,9}$/.test(text) || Number(text) === 0) throw new Error(`--${option} must be a whole number from 1 up, got "${text}".`)
  return Number(text)
}

function secondsOf(option: string, text: string): number {
  if (!/^[0-9]{1,5}(\.[0-9]+)?$/.test(text)) throw new Error(`--${option} must be seconds from 0 up, got "${text}".`)
  return Number(text)
}
