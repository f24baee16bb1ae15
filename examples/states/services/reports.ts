import { asyncTask, failOnError, progressItems, setProgress } from 'errand'
import { deliver } from '../../postbox.js'

export class ReportService {
  @asyncTask({ result: true, keep: '7d' })
  async yearly(year: number, months: string[]): Promise<{ year: number; pages: number }> {
    for (const month of progressItems(months)) await deliver('printer', `${month} ${year}`) // 0, then the share after each
    setProgress(100, { step: 'binding' })
    return { year, pages: months.length }
  }

  @asyncTask({ result: true, resultOnce: true })
  async password(): Promise<string> {
    return 'for one pair of eyes'
  }

  @asyncTask({ result: true })
  async rates(): Promise<number> {
    return failOnError('The exchange rates could not be had.', () => {
      throw new RangeError('the bank is closed')
    })
  }
}
export const reports = new ReportService()
