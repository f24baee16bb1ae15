import { appendFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { asyncTask, context, currentTask } from 'errand'

declare module 'errand' {
  interface RequestContext {
    user: { id: number; name: string } | undefined
  }
}

export class ReportService {
  /** A task without a value: a call resolves as soon as the message is safe. */
  @asyncTask()
  async prepare(year: number, journal: string): Promise<void> {
    const { user, headers } = context()
    const { attempt } = currentTask()
    const line = `attempt ${attempt} in process ${process.pid}: report ${year} for ${user?.name} in ${headers['accept-language']}`
    appendFileSync(journal, `${line}: begun\n`)
    await pause(1500)
    appendFileSync(journal, `${line}: done\n`)
  }

  /** A task with a value: a call waits for the worker and answers it. */
  @asyncTask({ result: true })
  async whoAmI(): Promise<string> {
    return `${context().user?.name}, seen by process ${process.pid}`
  }
}

export const reports = new ReportService()
