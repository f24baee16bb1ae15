/** What a value of a system should be; the middle of the rounds decides. */
export interface Goal {
  readonly system: string
  readonly title: string
  /** It is divided by the value of this system in the same round; without one the value itself counts. */
  readonly against?: string
  /** The title there. @defaultValue the same */
  readonly as?: string
  readonly atLeast?: number
  readonly atMost?: number
  /** Where it is explained why it is missed, if it is. */
  readonly why: string
}

type Bound = Pick<Goal, 'atLeast' | 'atMost' | 'why'>

const atLeast = (value: number, why: string): Bound => ({ atLeast: value, why })
const atMost = (value: number, why: string): Bound => ({ atMost: value, why })

/** A heading of that document, or the words in bold at the begin of an item. */
const said = (part: string): string => `docs/performance.md, ${part}`

const STATES = said('States')
const LOCK = said('The lock')
const CALL = said('A call')
const RUN = said('A run')
const IDLE = said('An idle call')
const SERVER = said('The server')
const START = said('The start')
const WAITING = said('Many that wait')
const BESIDE = said('Beside other systems')
/** What is met, as far as it was measured, or has several reasons. */
const ALL = said('What falls short')

const RATE = 'end to end, tasks/s'

/** What the design wants of Errand: ratios, since rates belong to a machine. */
export const goals: readonly Goal[] = [
  ...of('errand-rabbitmq', 'raw-rabbitmq', {
    'dispatch, 1,000 in flight, tasks/s': atLeast(0.85, CALL),
    'dispatch, one at a time, p50 ms': atMost(1.15, IDLE),
    'dispatch, one at a time, p99 ms': atMost(1.4, IDLE),
    [RATE]: atLeast(0.75, STATES),
    'end to end, CPU s per 10,000, caller': atMost(1.35, CALL),
    'end to end, CPU s per 10,000, worker': atMost(1.4, RUN),
    'end to end, CPU s per 10,000, server': atMost(1.15, SERVER),
    'end to end, CPU s per 10,000, sum': atMost(1.25, STATES),
    'idle, call to body, p50 ms': atMost(1.2, IDLE),
    'idle, call to body, p99 ms': atMost(1.3, IDLE),
    'result, one at a time, p50 ms': atMost(1.3, IDLE),
    'result, 100 in flight, results/s': atLeast(0.8, STATES),
    'start, process to first body, ms': atMost(1.5, START),
    'start, worker idle, MB': atMost(1.25, START),
    'backlog, taken, tasks/s': atLeast(0.85, RUN),
  }),
  { system: 'errand-rabbitmq', title: 'result, one at a time, p50 ms', atMost: 5, why: IDLE },
  // none, as far as it can be told: to ask for it takes some
  { system: 'errand-rabbitmq', title: 'start, worker idle, CPU % of a core', atMost: 0.1, why: ALL },
  // with the prefetch of the limit, and the limit with that of Errand
  ...of('errand-rabbitmq-300', 'raw-rabbitmq', { [RATE]: atLeast(0.85, STATES), 'end to end, CPU s per 10,000, sum': atMost(1.18, STATES) }),
  ...of('errand-rabbitmq', 'raw-rabbitmq-100', { [RATE]: atLeast(0.9, STATES) }),
  ...overPeers('errand-rabbitmq', { 'rabbitmq-client': 1.1, golevelup: 1.1, 'nest-rmq': 1.6, bullmq: 2.2 }),
  ...notGrowing('errand-rabbitmq'),

  ...of('errand-sqlite', 'raw-sqlite', {
    'dispatch, 1,000 in flight, tasks/s': atLeast(0.6, CALL),
    'dispatch, one at a time, p50 ms': atMost(1.3, IDLE),
    'dispatch, one at a time, p99 ms': atMost(1.5, IDLE),
    [RATE]: atLeast(0.5, LOCK),
    'end to end, CPU s per 10,000, sum': atMost(2, STATES),
    'idle, call to body, p50 ms': atMost(1.3, IDLE),
    'idle, call to body, p99 ms': atMost(1.5, IDLE),
    'result, one at a time, p50 ms': atMost(1.5, IDLE),
    'result, 100 in flight, results/s': atLeast(0.5, LOCK),
    'start, process to first body, ms': atMost(1.5, START),
    'start, worker idle, MB': atMost(1.25, START),
    'backlog, taken, tasks/s': atLeast(0.5, RUN),
  }),
  { system: 'errand-sqlite', title: 'idle, call to body, p50 ms', atMost: 1, why: IDLE },
  { system: 'errand-sqlite', title: 'start, worker idle, CPU % of a core', atMost: 1, why: ALL },
  ...overPeers('errand-sqlite', { plainjob: 4, bullmq: 4 }),
  ...notGrowing('errand-sqlite'),
]

function of(system: string, against: string, bounds: Readonly<Record<string, Bound>>): readonly Goal[] {
  return Object.entries(bounds).map(([title, bound]) => ({ system, against, title, ...bound }))
}

/** End to end, so many times as fast as each. */
function overPeers(system: string, times: Readonly<Record<string, number>>): readonly Goal[] {
  return Object.entries(times).map(([against, least]) => ({ system, against, title: RATE, atLeast: least, why: BESIDE }))
}

/**
 * A million that wait make nobody slow: a tenth is what the same figure differs by on a calm machine. Nor do they make a worker bigger
 * than a tenth of them does, which fills the cache of the file.
 */
function notGrowing(system: string): readonly Goal[] {
  const goal = (title: string, than: string, bound: Bound): Goal => {
    return { system, against: system, title: `queued, ${title}: 1,000,000`, as: `queued, ${title}: ${than}`, ...bound }
  }
  return [
    goal('joined, tasks/s', '0', atLeast(0.9, WAITING)),
    goal('joined, caller, CPU s per 10,000', '0', atMost(1.1, WAITING)),
    goal('taken, tasks/s', '0', atLeast(0.9, WAITING)),
    goal('taken, worker, CPU s per 10,000', '0', atMost(1.1, WAITING)),
    goal('worker, peak MB', '100,000', atMost(1.1, WAITING)),
  ]
}
