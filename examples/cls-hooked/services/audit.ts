import { asyncTask, context } from 'errand'
import { deliver } from '../../postbox.js'
import { requestData } from '../request-data.js'

export class AuditService {
  @asyncTask()
  async record(action: string): Promise<void> {
    await Promise.resolve() // the values hold across every await, as in the server
    const { number, name } = requestData.get('basket') as { number: number; name: string } // set by the middleware of the server
    await deliver('audit', `${context().user?.name}: ${action} basket ${number} (${name})`)
  }
}

export const audit = new AuditService()
