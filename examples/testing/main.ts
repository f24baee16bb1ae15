// How an application tests its tasks: no broker, no worker process, but real messages.
import assert from 'node:assert/strict'
import { asyncTask, background, context, withContext } from 'errand'
import { startTesting } from 'errand/testing'

class MailService {
  readonly sent: string[] = []

  @asyncTask()
  async sendWelcome(to: string): Promise<void> {
    const { user, headers } = context()
    this.sent.push(`${to} from ${user?.id} in ${headers['accept-language']}`)
  }
}
export const mail = new MailService()
const caller = { user: { id: 7, name: 'Ada' }, headers: { 'accept-language': 'it' } }

// bodies run in this process, through a sealed message and a re-created context
const testing = await startTesting({ instances: [mail] })
await withContext(caller, () => mail.sendWelcome('bob@example.org'))
await testing.idle()
assert.deepEqual(mail.sent, ['bob@example.org from 7 in it'])
await testing.stop()

// or they do not run, and the test looks at what would have been sent
const capturing = await startTesting({ mode: 'capture' })
await withContext(caller, () => mail.sendWelcome('eve@example.org'))
assert.equal(capturing.calls[0]?.task, 'MailService.sendWelcome')
assert.deepEqual(capturing.calls[0]?.args, ['eve@example.org'])
assert.deepEqual(capturing.calls[0]?.context?.user, { id: 7, name: 'Ada' })
await capturing.stop()

// a task sees what its caller saw: user, headers, URL, and what carriers carry
const comparing = await startTesting({ instances: [mail] })
await withContext(caller, () => comparing.assertSameContext(() => mail.sendWelcome('bob@example.org')))
await comparing.stop()

// time goes on when the test says so
const waiting = await startTesting({ instances: [mail], clock: 'fake' })
await background(mail, { delay: '1d' }).sendWelcome('tomorrow@example.org')
await waiting.idle()
assert.equal(mail.sent.length, 2)
await waiting.clock.advance('1d')
assert.equal(mail.sent[2], 'tomorrow@example.org from undefined in undefined')
await waiting.stop()

console.log('All four tests passed.')
