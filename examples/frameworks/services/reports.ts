import { asyncTask, context, setProgress } from 'errand'
import type { PageRequest } from 'errand/page'

/** What the page at `/report` starts; its value is the page of the result. */
export const report = asyncTask(
  async function report({ form }: PageRequest): Promise<string> {
    setProgress(50, { message: 'Adding up' })
    return `<!doctype html><title>Report ${String(form['year'])} for ${context().user?.name}</title>`
  },
  { result: true },
)
