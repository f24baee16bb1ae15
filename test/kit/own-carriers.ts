import { carriersInUse, type Carrier } from '#src/core/carrier.js'

/** For the top of a `describe`: its tests begin without any carrier, and those of the process, the library's own too, are back afterwards. */
export function ownCarriers(): void {
  const all = carriersInUse() as Map<string, Carrier> // a map that others may only read
  let kept: readonly (readonly [string, Carrier])[] = []
  beforeEach(() => {
    kept = [...all]
    all.clear()
  })
  afterEach(() => {
    all.clear()
    for (const [name, carrier] of kept) all.set(name, carrier)
  })
}
