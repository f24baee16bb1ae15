import { appendFile } from 'node:fs/promises'
import { setTimeout as pause } from 'node:timers/promises'
import { asyncTask, context, currentTask } from 'errand'

export class ReportService {
  @asyncTask() // without a value: a call resolves as soon as the message is safe
  async prepare(year: number, journal: string): Promise<void> {
    const { user, headers } = context() // of the request that asked, although this is another process
    const run = `attempt ${currentTask().attempt}, pid ${process.pid}: ${year} for ${user?.name} in ${headers['accept-language']}`
    await appendFile(journal, `${run}: begun\n`)
    await pause(1500)
    await appendFile(journal, `${run}: done\n`)
  }

  @asyncTask({ result: true }) // with a value: a call waits for the worker and answers it
  async whoAmI(): Promise<string> {
    return `${context().user?.name}, seen by process ${process.pid}`
  }
}
export const reports = new ReportService()
