import type { BrokerHarness, BrokerCases } from './broker-case.js'
import { BrokerCase } from './broker-case.js'
import { browseCases } from './broker-browse-cases.js'
import { delayCases, publishCases, settleCases } from './broker-delivery-cases.js'
import { laterCases, noteCases } from './broker-later-cases.js'
import { crashCases, deadLetterCases, healthCases, stopCases, volumeCases } from './broker-lifetime-cases.js'
import { temporaryCases } from './broker-temporary-cases.js'
import { eachScope, type Scope } from '../kit/temporary.js'

export type { BrokerHarness } from './broker-case.js'

const GROUPS: Readonly<Record<string, BrokerCases>> = {
  publish: publishCases,
  settle: settleCases,
  later: laterCases,
  notes: noteCases,
  'delay and priority': delayCases,
  crash: crashCases,
  stop: stopCases,
  'dead letters': deadLetterCases,
  browse: browseCases,
  'temporary queues': temporaryCases,
  volume: volumeCases,
  health: healthCases,
}

/** How long a case waits for what must happen; and where it is expected to fail, how long until that counts as a failure. */
const PATIENCE_MS = 60_000
const PATIENCE_IN_EXCEPTION_MS = 2_000
const CASE_TIMEOUT_MS = 120_000

/**
 * What every broker promises, as a mocha suite. What a driver cannot do stands in `harness.except` with the reason.
 *
 * @example
 * brokerContract('sqlite', { open: (scope) => openSqliteBroker({ file: scope.file('queue.db') }) })
 */
export function brokerContract(name: string, harness: BrokerHarness): void {
  describe(`broker contract: ${name}`, function () {
    this.timeout(CASE_TIMEOUT_MS)
    const scope = eachScope()
    const exceptions = new Map(Object.entries(harness.except ?? {}))

    for (const [group, cases] of Object.entries(GROUPS)) {
      describe(group, () => {
        for (const [title, body] of Object.entries(cases)) {
          const reason = exceptions.get(title)
          exceptions.delete(title)
          if (reason === undefined) it(title, () => run(harness, scope(), body, PATIENCE_MS))
          else it(`NOT: ${title} (${reason})`, () => refuse(title, harness, scope(), body))
        }
      })
    }

    it('makes no exception that is unknown', () => {
      if (exceptions.size > 0) throw new Error(`no such case: ${[...exceptions.keys()].join('; ')}`)
    })
  })
}

async function run(harness: BrokerHarness, scope: Scope, body: BrokerCases[string], patienceMs: number): Promise<void> {
  const broker = scope.use(await harness.open(scope))
  await body(new BrokerCase(harness, scope, broker, patienceMs))
}

async function refuse(title: string, harness: BrokerHarness, scope: Scope, body: BrokerCases[string]): Promise<void> {
  try {
    await run(harness, scope, body, PATIENCE_IN_EXCEPTION_MS)
  } catch {
    return
  }
  throw new Error(`"${title}" passes although it is listed as an exception: take it off the list`)
}
