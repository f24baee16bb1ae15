import { join } from 'node:path'
import { openSqliteBroker } from '#src/broker/sqlite/open.js'
import { setClocksUnder } from '../clocks.js'
import type { Row } from '../row.js'

export const row: Row = {
  id: 'E4',
  title: 'embedded queue: the clocks of the publisher and of the consumer are set by hours, inside one process',
  isBrief: true,
  needs: 'nothing',
  async run(context) {
    const file = join(context.folder, 'queue.sqlite')
    return setClocksUnder(context, async (clock) => context.scope.use(await openSqliteBroker({ file, clock })))
  },
}
