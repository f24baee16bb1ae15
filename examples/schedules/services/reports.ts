import { asyncTask, context, everyTask } from 'errand'
import { deliver } from '../../postbox.js'

export class ReportService {
  /** Mondays at six on the clocks of Rome, as the user that the reports are made for. */
  @everyTask({ cron: '0 6 * * 1', timezone: 'Europe/Rome', as: { user: { id: 7, name: 'Reports' } } })
  @asyncTask({ retries: 3 })
  async weekly(): Promise<void> {
    await deliver('board', 'the week in figures')
  }

  /** What is not swept today is swept tomorrow: nothing to make up for. */
  @everyTask({ every: '1d', missed: 'skip' })
  async sweep(): Promise<void> {
    await deliver('nobody', 'swept')
  }

  /** Every second here, so that the tour need not wait for a Monday. */
  @everyTask({ every: '1s', as: { user: { id: 8, name: 'Clock' } } })
  async tick(): Promise<void> {
    await deliver('tick', `as ${context().user?.name}`)
  }
}
export const reports = new ReportService()

/** The configuration says when. */
export const greet = asyncTask(async function greet(name: string): Promise<void> {
  await deliver('greeting', `Hello ${name}`)
})

/** A function can have its times beside it as well. */
export const yearly = everyTask(
  async function yearly(): Promise<void> {
    await deliver('board', 'the year in figures')
  },
  { cron: '@yearly' },
)
