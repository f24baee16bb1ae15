import { asyncTask, currentOrder, failOnError, orders, progressItems } from 'errand'
import { deliver } from '../../postbox.js'

interface Wanted {
  readonly year: number
}

export class ReportService {
  @asyncTask({ order: 'report', result: true })
  async make(_uuid: string, { year }: Wanted): Promise<{ readonly pages: number }> {
    const order = currentOrder()
    order.setMessage(`Rendering ${year}.`)
    const pages = await failOnError(`There are no figures of ${year}.`, () => pagesOf(year))
    for (const page of progressItems(pages)) await render(page)
    order.setResourceUrl(`/reports/${year}.pdf`)
    order.setMessage('Ready.')
    return { pages: pages.length }
  }

  @asyncTask({ order: { name: 'report', action: 'destroy' } })
  async remove(_uuid: string, { year }: Wanted): Promise<void> {
    await deliver('archive', `${year} is gone`)
  }
}
export const reports = new ReportService()

const tellClient = asyncTask(async function tellClient(uuid: string, { year }: Wanted): Promise<void> {
  const order = await orders.get(uuid)
  await deliver(order?.owner ?? 'nobody', `${year}: ${order?.status}, ${order?.message}`)
})
orders.register('report', tellClient, { signal: 'completed' })
orders.register('report', tellClient, { signal: 'failed' })

function pagesOf(year: number): readonly string[] {
  if (year > 2026) throw new RangeError(`no table figures_${year}`)
  return [`the cover of ${year}`, `the figures of ${year}`]
}

async function render(page: string): Promise<void> {
  await deliver('printer', page)
}
