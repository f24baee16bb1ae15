import { setTimeout as pause } from 'node:timers/promises'
import { asyncTask, context, setProgress } from 'errand'
import { html, pageResult, streamResult, type PageRequest, type PageResult } from 'errand/page'

const MONTHS = ['January', 'February', 'March', 'April']
const ROWS = 200_000

export class ReportService {
  @asyncTask({ result: true })
  async yearly({ form }: PageRequest): Promise<string> {
    for (const [done, month] of MONTHS.entries()) {
      setProgress((done * 100) / MONTHS.length, { message: `Adding up ${month}` })
      await pause(Number(process.env['MONTH_MS'] ?? 20))
    }
    const { user } = context() // who started it, although this is another process
    return html`<!doctype html><html lang="en"><title>Report</title><h1>${String(form['year'])}</h1><p>Made for ${String(user?.['name'])}</p></html>`.toString()
  }

  @asyncTask({ result: true })
  async invoice(number: number): Promise<PageResult> {
    return pageResult({
      headers: { 'content-type': 'text/csv; charset=utf-8', 'content-disposition': `attachment; filename="invoice-${number}.csv"` },
      cookies: [{ name: 'last-invoice', value: String(number) }],
      body: `number,total\n${number},120\n`,
    })
  }

  @asyncTask({ result: true, keep: '2h' })
  async archive(): Promise<PageResult> {
    return streamResult(rows(), { headers: { 'content-type': 'text/csv; charset=utf-8' } })
  }
}

async function* rows(): AsyncGenerator<string> {
  for (let row = 1; row <= ROWS; row++) yield `${row},${row * 2}\n`
}

export const reports = new ReportService()
