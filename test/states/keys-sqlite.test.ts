import { expect } from 'chai'
import { background, checkStatusOrBegin, start } from 'errand'
import { silentLogger } from '#src/core/logger.js'
import { keysEndToEnd } from '../contract/keys-end-to-end.js'
import { codeOf } from '../contract/store-case.js'
import { eachScope } from '../kit/temporary.js'
import * as work from '../fixtures/states/tasks.js'

keysEndToEnd('SQLite for both, in one file', async () => ({}))

describe('One task for a key, where nothing is kept', () => {
  const scope = eachScope()

  it('is refused with a code', async () => {
    const base = { withAsync: true, service: 'keys', environment: 'test', store: 'off' as const }
    const running = await start({ ...base, dataDir: scope().file('data'), worker: { spawn: false }, logger: silentLogger })
    scope().defer(() => running.stop())

    expect(await codeOf(background(work, { key: 'k' }).note('none'))).to.equal('CALL_INVALID')
    expect(await codeOf(checkStatusOrBegin(work.note, { args: ['none'], key: 'k' }))).to.equal('CALL_INVALID')
  })
})
