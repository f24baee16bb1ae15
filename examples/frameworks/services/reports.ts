import { asyncTask, context, currentOrder, setProgress } from 'errand'
import type { PageRequest } from 'errand/page'

/** What the page at `/report` starts; its value is the page of the result. */
export const report = asyncTask(
  async function report({ form }: PageRequest): Promise<string> {
    setProgress(50, { message: 'Adding up' })
    return `<!doctype html><title>Report ${String(form['year'])} for ${context().user?.name}</title>`
  },
  { result: true },
)

/** Carries out what `POST /async/report/order` asks for. */
export const makeReport = asyncTask(
  async function makeReport(_uuid: string, { year }: { readonly year: number }): Promise<void> {
    currentOrder().setResourceUrl(`/reports/${year}`)
  },
  { order: 'report' },
)
