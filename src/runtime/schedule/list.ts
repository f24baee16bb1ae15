import type { Runtime } from '../runtime.js'
import { firingsOf } from './scheduler.js'
import { plansOf } from './plans.js'

/** A schedule as people see it. */
export interface Schedule {
  readonly name: string
  readonly task: string
  /** As it was written: `0 6 * * 1 (Europe/Rome)`, `every 15m`. */
  readonly when: string
  readonly missed: 'once' | 'skip'
  /** When it fires next; `undefined` where somebody cancelled that, or there is no other time. */
  readonly next: Date | undefined
  /** The time at which it was due last; `undefined` where nobody knows: it never was, or no store is kept. */
  readonly last: Date | undefined
}

/** Every schedule of the tasks that are known in this process and of the configuration, by name. */
export async function listSchedules({ settings, tracking, clock }: Pick<Runtime, 'settings' | 'tracking' | 'clock'>): Promise<readonly Schedule[]> {
  const { service = '', environment = '', schedules = [] } = settings
  const firings = firingsOf(tracking?.store, { service, environment })
  const seen = plansOf(schedules).map(async (plan) => {
    const known = await firings.known(plan)
    // of one that no leader has seen yet
    const nextAt = 'nextAt' in known ? known.nextAt : plan.times.next(clock.now())
    const { name, task, words: when, missed } = plan
    return { name, task: task.name, when, missed, next: dateOf(nextAt), last: dateOf(known.lastAt) }
  })
  return Promise.all(seen)
}

const dateOf = (ms: number | undefined): Date | undefined => (ms === undefined ? undefined : new Date(ms))
