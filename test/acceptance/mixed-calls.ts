import { fileURLToPath } from 'node:url'
import { assert } from 'chai'
import { start, withContext, type StartOptions } from 'errand'
import { mixed } from '../fixtures/mixed/services.js'
import { argumentsOf, userOf } from '../fixtures/mixed/values.js'
import type { Scope } from '../kit/temporary.js'
import { until } from '../kit/until.js'

const CALLS = 10_000
const SERVICES = fileURLToPath(new URL('../fixtures/mixed/services.js', import.meta.url))

/** 10,000 calls of 50 users through a real queue and a spawned worker; registered as one test of `broker`. */
export function itKeepsTenThousandCallsApart(scope: () => Scope, broker: () => StartOptions): void {
  it('10,000 mixed calls of 50 users: every body saw its own caller and its own arguments, and ran once', async function () {
    this.timeout(180_000)
    const running = await start({
      withAsync: true,
      services: [SERVICES],
      dataDir: scope().folder(),
      worker: { concurrency: 50, logLevel: 'error' },
      ...broker(),
    })
    try {
      for (let first = 0; first < CALLS; first += 500) {
        await Promise.all(Array.from({ length: 500 }, (_, offset) => callAs(first + offset)))
      }
      await until('every call to have run', async () => (await mixed.audit()).distinct === CALLS, 120_000)

      assert.deepEqual(await mixed.audit(), { runs: CALLS, distinct: CALLS, wrong: [] })
    } finally {
      await running.stop()
    }
  })
}

async function callAs(index: number): Promise<void> {
  const { token, ...user } = userOf(index)
  const caller = { user, headers: { authorization: token }, url: `https://shop.example/calls/${index}` }
  const args = argumentsOf(index)
  await withContext(caller, async () => {
    if (index % 20 === 0) assert.deepEqual(await mixed.echo(index, ...args), { user, args })
    else await mixed.take(index, ...args)
  })
}
