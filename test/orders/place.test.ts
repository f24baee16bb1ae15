import { expect } from 'chai'
import { asyncTask, orders } from 'errand'
import { startTesting } from 'errand/testing'

asyncTask(async function placedTart(): Promise<void> {}, { order: 'tart' })

describe('orders.place()', () => {
  it('refuses a context that is no object for JSON, and options that it does not have, and places nothing', async () => {
    const testing = await startTesting({ mode: 'capture' })
    try {
      for (const options of [{ context: null }, { context: [1] }, { context: 'text' }, { callback: 'https://example.org' }]) {
        const refusal: unknown = await orders.place('tart', options as object).catch((error: unknown) => error)
        expect(refusal).to.have.property('code', 'OPTION_INVALID')
      }
      expect(testing.calls).to.deep.equal([])
    } finally {
      await testing.stop()
    }
  })
})
