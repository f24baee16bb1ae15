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
}

type Bound = Pick<Goal, 'atLeast' | 'atMost'>

const atLeast = (value: number): Bound => ({ atLeast: value })
const atMost = (value: number): Bound => ({ atMost: value })

const RATE = 'end to end, tasks/s'

/** What the design wants of Errand: ratios, since rates belong to a machine. */
export const goals: readonly Goal[] = [
  ...of('errand-rabbitmq', 'raw-rabbitmq', {
    'dispatch, 1,000 in flight, tasks/s': atLeast(0.85),
    'dispatch, one at a time, p50 ms': atMost(1.15),
    'dispatch, one at a time, p99 ms': atMost(1.4),
    [RATE]: atLeast(0.75),
    'end to end, CPU s per 10,000, caller': atMost(1.35),
    'end to end, CPU s per 10,000, worker': atMost(1.4),
    'end to end, CPU s per 10,000, server': atMost(1.15),
    'end to end, CPU s per 10,000, sum': atMost(1.25),
    'idle, call to body, p50 ms': atMost(1.2),
    'idle, call to body, p99 ms': atMost(1.3),
    'result, one at a time, p50 ms': atMost(1.3),
    'result, 100 in flight, results/s': atLeast(0.8),
    'start, process to first body, ms': atMost(1.5),
    'start, worker idle, MB': atMost(1.25),
    'backlog, taken, tasks/s': atLeast(0.85),
  }),
  { system: 'errand-rabbitmq', title: 'result, one at a time, p50 ms', atMost: 5 },
  // none, as far as it can be told: to ask for it takes some
  { system: 'errand-rabbitmq', title: 'start, worker idle, CPU % of a core', atMost: 0.1 },
  // with the prefetch of the limit, and the limit with that of Errand
  ...of('errand-rabbitmq-300', 'raw-rabbitmq', { [RATE]: atLeast(0.85), 'end to end, CPU s per 10,000, sum': atMost(1.18) }),
  ...of('errand-rabbitmq', 'raw-rabbitmq-100', { [RATE]: atLeast(0.9) }),
  ...overPeers('errand-rabbitmq', { 'rabbitmq-client': 1.1, golevelup: 1.1, 'nest-rmq': 1.6, bullmq: 2.2 }),
  ...notGrowing('errand-rabbitmq'),

  ...of('errand-sqlite', 'raw-sqlite', {
    'dispatch, 1,000 in flight, tasks/s': atLeast(0.6),
    'dispatch, one at a time, p50 ms': atMost(1.3),
    'dispatch, one at a time, p99 ms': atMost(1.5),
    [RATE]: atLeast(0.5),
    'end to end, CPU s per 10,000, sum': atMost(2),
    'idle, call to body, p50 ms': atMost(1.3),
    'idle, call to body, p99 ms': atMost(1.5),
    'result, one at a time, p50 ms': atMost(1.5),
    'result, 100 in flight, results/s': atLeast(0.5),
    'start, process to first body, ms': atMost(1.5),
    'start, worker idle, MB': atMost(1.25),
    'backlog, taken, tasks/s': atLeast(0.5),
  }),
  { system: 'errand-sqlite', title: 'idle, call to body, p50 ms', atMost: 1 },
  { system: 'errand-sqlite', title: 'start, worker idle, CPU % of a core', atMost: 1 },
  ...overPeers('errand-sqlite', { plainjob: 4, bullmq: 4 }),
  ...notGrowing('errand-sqlite'),
]

function of(system: string, against: string, bounds: Readonly<Record<string, Bound>>): readonly Goal[] {
  return Object.entries(bounds).map(([title, bound]) => ({ system, against, title, ...bound }))
}

/** End to end, so many times as fast as each. */
function overPeers(system: string, times: Readonly<Record<string, number>>): readonly Goal[] {
  return Object.entries(times).map(([against, least]) => ({ system, against, title: RATE, atLeast: least }))
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
    goal('joined, tasks/s', '0', atLeast(0.9)),
    goal('joined, caller, CPU s per 10,000', '0', atMost(1.1)),
    goal('taken, tasks/s', '0', atLeast(0.9)),
    goal('taken, worker, CPU s per 10,000', '0', atMost(1.1)),
    goal('worker, peak MB', '100,000', atMost(1.1)),
  ]
}
