import { asyncTask, context, currentOrder, progressItems } from 'errand'
import type { PageRequest } from 'errand/page'

const QUARTERS = ['spring', 'summer', 'autumn', 'winter']

export class ReportService {
  /** Carries out the orders that `POST /async/report/order` places: of whoever placed them, as they would see it. */
  @asyncTask({ order: 'report' })
  async make(uuid: string, { year }: { readonly year: number }): Promise<void> {
    const order = currentOrder()
    for (const quarter of progressItems(QUARTERS)) order.setMessage(`Adding up the ${quarter} of ${year}`)
    order.setMessage(`Made for ${context().user?.name ?? 'somebody'}`)
    order.setResourceUrl(`/reports/${year}/${uuid}`)
  }

  /** What the page at `/report` starts; its value is the page of the result. */
  @asyncTask({ result: true })
  async show({ form }: PageRequest): Promise<string> {
    const year = Number(form['year'])
    const rows = [...progressItems(QUARTERS)].map((quarter) => `<li>${quarter}</li>`)
    const name = context().user?.name ?? 'somebody'
    return `<!doctype html><html lang="en"><title>Report</title><h1>The year ${year} for ${name}</h1><ul>${rows.join('')}</ul></html>`
  }
}

export const reports = new ReportService()
