import { refuseUnknownKeys } from './core/options.js'
import { ErrandError } from './errors.js'
import { adoptExports } from './runtime/adopt-exports.js'
import { appState } from './runtime/app.js'
import type { Testing, TestingOptions } from './testing/options.js'
import { TestRun } from './testing/test-run.js'

export type { CapturedCall, Testing, TestingOptions } from './testing/options.js'
export type { TestClock } from './testing/test-clock.js'

/**
 * Lets tests call tasks without a broker, a worker process or a configuration. Calls are still sealed and encoded, so a test meets
 * the arguments and the context that a worker would: an argument that cannot travel fails here too.
 * @throws ErrandError `CALL_INVALID` when errand is already started in this process; `OPTION_INVALID`; `PACKAGE_MISSING`, `DATABASE_REFUSED`
 * @example
 * const testing = await startTesting()
 * await withContext({ user: ada }, () => mail.sendWelcome(bob))
 * await testing.idle()
 * assert.equal(testing.calls[0]?.task, 'MailService.sendWelcome')
 * await testing.stop()
 */
export async function startTesting(options: TestingOptions = {}): Promise<Testing> {
  if (appState().kind === 'on' || appState().kind === 'starting') {
    throw new ErrandError('CALL_INVALID', 'startTesting() was called although errand is started in this process. Call stop() first.')
  }
  refuseUnknownKeys('startTesting()', options, ['mode', 'retries', 'instances', 'database', 'clock'])
  adoptExports('test', options.instances ?? [])
  return new TestRun(options).begin()
}
