import type { Goal } from './goals.js'
import { ratiosOf, valuesOf } from './ratios.js'
import type { Measured } from './rounds.js'
import { median, spread } from './spread.js'

/** What was wanted, what came out, and whether that is enough. Goals of systems or figures that were not measured are only counted. */
export function summaryOf(goals: readonly Goal[], measured: readonly Measured[]): string {
  const judged = goals.map((goal) => ({ goal, values: reached(goal, measured) }))
  const known = judged.filter(({ values }) => values.length > 0)
  const lines = known.map(({ goal, values }) => rowOf(goal, values))
  const met = known.filter(({ goal, values }) => verdictOf(goal, values) === 'met').length
  return [
    `${met} of ${known.length} goals are met; ${judged.length - known.length} more were not measured. Open: the middle misses the goal, and the range reaches it.`,
    '',
    ...(known.length === 0 ? [] : ['| system | value | goal | measured | | why |', '|---|---|---|---|---|---|', ...lines]),
  ].join('\n')
}

function rowOf(goal: Goal, values: readonly number[]): string {
  const verdict = verdictOf(goal, values)
  const why = verdict === MISSED ? goal.why : ''
  return `| ${[goal.system, goal.title, boundOf(goal), spread(values), verdict, why].join(' | ')} |`
}

const MISSED = '**missed**'

type Verdict = 'met' | 'open' | typeof MISSED

function verdictOf({ atLeast = -Infinity, atMost = Infinity }: Goal, values: readonly number[]): Verdict {
  const isEnough = (value: number): boolean => value >= atLeast && value <= atMost
  if (isEnough(median(values))) return 'met'
  return values.some(isEnough) ? 'open' : MISSED
}

/** Of every round: the ratio within it, or the value where it is compared with nothing. */
function reached({ system, title, against, as }: Goal, measured: readonly Measured[]): readonly number[] {
  return against === undefined ? valuesOf(title, system, measured) : ratiosOf(title, measured, { system, against, as })
}

function boundOf({ system, against, as, atLeast, atMost }: Goal): string {
  const bound = atLeast === undefined ? `at most ${atMost}` : `at least ${atLeast}`
  if (against === undefined) return bound
  return `${bound} x ${[...(against === system ? [] : [against]), ...(as === undefined ? [] : [`"${as}"`])].join(', ')}`
}
