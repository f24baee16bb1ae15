import { Injectable } from '@nestjs/common'
import { asyncTask, context, currentOrder, progressItems } from 'errand'
import type { PageFacts, PageRequest } from 'errand/page'
import { askForYear } from '../shop.js'

@Injectable()
export class Ledger {
  readonly quarters = ['spring', 'summer', 'autumn', 'winter']
}

@Injectable()
export class ReportService {
  constructor(private readonly ledger: Ledger) {}

  /** Carries out the orders that `POST /async/report/order` places. The worker makes this class, with all it injects. */
  @asyncTask({ order: 'report' })
  async make(uuid: string, { year }: { readonly year: number }): Promise<void> {
    const order = currentOrder()
    for (const quarter of progressItems(this.ledger.quarters)) order.setMessage(`Adding up the ${quarter} of ${year}`)
    order.setMessage(`Made for ${context().user?.name ?? 'somebody'}`)
    order.setResourceUrl(`/reports/${year}/${uuid}`)
  }
}

/** A waiting page that is a provider: its task is the method `run`. */
@Injectable()
export class ReportPage {
  constructor(private readonly ledger: Ledger) {}

  @asyncTask({ result: true })
  async run({ form }: PageRequest): Promise<string> {
    const year = Number(form['year'])
    const rows = [...progressItems(this.ledger.quarters)].map((quarter) => `<li>${quarter}</li>`)
    const name = context().user?.name ?? 'somebody'
    return `<!doctype html><html lang="en"><title>Report</title><h1>The year ${year} for ${name}</h1><ul>${rows.join('')}</ul></html>`
  }

  initialPage(page: PageFacts): ReturnType<typeof askForYear> {
    return askForYear(page)
  }
}
