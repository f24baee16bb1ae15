import { asyncTask, context } from 'errand'
import type { Email } from '../payload.js'
import { counter } from '../processes/counter.js'

/** The service whose tasks the bench calls. */
export class Mailer {
  @asyncTask()
  async deliver(email: Email): Promise<void> {
    await counter.body(email, userId())
  }

  @asyncTask({ result: true })
  async answer(email: Email): Promise<string> {
    return counter.body(email, userId())
  }
}

function userId(): string | undefined {
  const id = context().user?.id
  return id === undefined ? undefined : String(id)
}
