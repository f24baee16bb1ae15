import { asyncTask } from 'errand'
import { deliver } from '../../postbox.js'

export class ReportService {
  @asyncTask({ result: true })
  async yearly(year: number): Promise<{ year: number; pages: number }> {
    await deliver('printer', `report ${year}`)
    return { year, pages: 12 }
  }
}
export const reports = new ReportService()

export const print = asyncTask(
  async function print(file: string): Promise<string> {
    await deliver('printer', file)
    return `${file} was printed`
  },
  { result: true },
)
