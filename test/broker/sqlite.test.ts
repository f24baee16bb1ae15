import { openSqliteBroker } from '#src/broker/sqlite/open.js'
import { brokerContract } from '../contract/broker-contract.js'
import { loseOne } from '../kit/queue-process.js'
import type { Scope } from '../kit/temporary.js'

const open = (scope: Scope) => openSqliteBroker({ file: scope.file('queue.db') })

brokerContract('sqlite', {
  open,
  second: open,
  crash: (scope, queue) => loseOne(scope, scope.file('queue.db'), queue),
})
