import { expect } from 'chai'
import { statSync } from 'node:fs'
import { Bell } from '#src/sqlite/bell.js'
import { eachScope } from '../kit/temporary.js'
import { until } from '../kit/until.js'

describe('the bell beside the queue file', () => {
  const scope = eachScope()

  function bell(): Bell {
    const made = new Bell(scope().file('queue.db-wake'))
    scope().defer(() => made.close())
    return made
  }

  it('is heard by everybody who listens, each time', async () => {
    const heard = [0, 0]
    for (const index of [0, 1]) bell().listen(() => (heard[index] = (heard[index] ?? 0) + 1))
    const ringer = bell()

    for (const times of [1, 2, 3]) {
      ringer.ring()
      await until(`ring ${times}`, () => heard.every((count) => count >= times))
    }
  })

  it('does not grow however often it rings', () => {
    const ringer = bell()
    for (let times = 0; times < 100; times++) ringer.ring()

    expect(statSync(scope().file('queue.db-wake')).size).to.equal(1)
  })
})
