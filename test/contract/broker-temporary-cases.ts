import { expect } from 'chai'
import { codeOf } from '../kit/code-of.js'
import { DONE, type BrokerCases } from './broker-case.js'

export const temporaryCases: BrokerCases = {
  'a reply reaches the temporary queue of another process': async (c) => {
    const replies = await c.collect(() => DONE, { temporary: true })

    const id = await c.publish({ toTemporary: true }, await c.second())

    await c.until('the reply', () => replies.some((delivery) => delivery.id === id))
  },

  'of the messages of a temporary queue each comes once, and no more at once than may be in hand': async (c) => {
    const { held } = await c.hold({ temporary: true, concurrency: 3 })
    const other = await c.second()
    const ids = await Promise.all(Array.from({ length: 20 }, () => c.publish({ toTemporary: true }, other)))

    for (let settled = 0; settled < ids.length; settled++) {
      const next = await c.nth(held, settled + 1)
      expect(held.length - settled).to.be.at.most(3)
      next.settle(DONE)
    }

    await c.until('the last of them', () => held.length === ids.length)
    expect(held.map(({ delivery }) => delivery.id).sort()).to.deep.equal([...ids].sort())
    await c.until('an empty queue', async () => (await c.broker.count(c.queue)).waiting === 0)
  },

  'publishing to a temporary queue that is not there rejects with PUBLISH_UNROUTABLE': async (c) => {
    expect(await codeOf(c.publish({ toTemporary: true }))).to.equal('PUBLISH_UNROUTABLE')
    expect(await codeOf(c.publish({ toTemporary: true }))).to.equal('PUBLISH_UNROUTABLE')
  },

  'a temporary queue goes with the connection that had it': async (c) => {
    const other = await c.second()
    const replies = await c.collect(() => DONE, { temporary: true, broker: other })
    await c.publish({ toTemporary: true })
    await c.until('the reply', () => replies.length === 1)

    await other.close()

    await c.until('the refusal', async () => (await codeOf(c.publish({ toTemporary: true }))) === 'PUBLISH_UNROUTABLE')
  },
}
