import { eachScope, type Scope } from '../kit/temporary.js'
import { StoreCase, TestClock, type StoreCases, type StoreHarness } from './store-case.js'
import { boundCases, expiryCases, hostileCases, searchCases } from './store-search-cases.js'
import { beginCases, processCases, watchCases } from './store-shared-cases.js'
import { historyCases } from './store-history-cases.js'
import { ownerCases, ownerProcessCases } from './store-owner-cases.js'
import { lifeCases, lateCases, runCases } from './store-record-cases.js'

export type { StoreHarness } from './store-case.js'

const GROUPS: Readonly<Record<string, StoreCases>> = {
  states: lifeCases,
  'late and repeated changes': lateCases,
  runs: runCases,
  histories: historyCases,
  'single flight': beginCases,
  search: searchCases,
  'search by owner': { ...ownerCases, ...ownerProcessCases },
  watch: watchCases,
  expiry: expiryCases,
  bounds: boundCases,
  'hostile input': hostileCases,
  'several processes': processCases,
}

const CASE_TIMEOUT_MS = 120_000

/**
 * What every store promises, as a mocha suite. What a driver cannot do stands in `harness.except` with the reason.
 *
 * @example
 * storeContract('sqlite', { open: (scope, clock) => openSqliteStore({ file: scope.file('states.db'), clock }) })
 */
export function storeContract(name: string, harness: StoreHarness): void {
  describe(`store contract: ${name} (item 83)`, function () {
    this.timeout(CASE_TIMEOUT_MS)
    const scope = eachScope()
    const exceptions = new Map(Object.entries(harness.except ?? {}))

    for (const [group, cases] of Object.entries(GROUPS)) {
      describe(group, () => {
        for (const [title, body] of Object.entries(cases)) {
          const reason = exceptions.get(title)
          exceptions.delete(title)
          if (reason === undefined) it(title, () => run(harness, scope(), body))
          else it(`NOT: ${title} (${reason})`, () => refuse(title, harness, scope(), body))
        }
      })
    }

    it('makes no exception that is unknown', () => {
      if (exceptions.size > 0) throw new Error(`no such case: ${[...exceptions.keys()].join('; ')}`)
    })
  })
}

async function run(harness: StoreHarness, scope: Scope, body: StoreCases[string]): Promise<void> {
  const clock = new TestClock()
  const store = scope.use(await harness.open(scope, clock))
  await body(new StoreCase(harness, scope, clock, store))
}

async function refuse(title: string, harness: StoreHarness, scope: Scope, body: StoreCases[string]): Promise<void> {
  try {
    await run(harness, scope, body)
  } catch {
    return
  }
  throw new Error(`"${title}" passes although it is listed as an exception: take it off the list`)
}
