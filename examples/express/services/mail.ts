import { asyncTask, context } from 'errand'
import { deliver } from '../../postbox.js'

declare module 'errand' {
  interface RequestContext {
    tenant: string | undefined
  }
}

export class MailService {
  @asyncTask()
  async invite(to: string): Promise<void> {
    const { user, headers, tenant } = context() // of the request that asked, although this is another process
    const verb = headers['accept-language']?.startsWith('de') === true ? 'lädt Sie ein zu' : 'invites you to'
    await deliver(to, `${user?.name ?? 'Somebody'} ${verb} ${tenant}`)
  }

  @asyncTask({ result: true })
  async origin(): Promise<string> {
    const { method, url, requestId, clientAddress, headers } = context()
    const path = url?.replace(/:\d+\//, ':<port>/') // the only part that differs from run to run
    return `${method} ${path}, request ${requestId}, ${clientAddress?.replace('::ffff:', '')}, cookie: ${headers['cookie']}`
  }
}

export const mail = new MailService()
