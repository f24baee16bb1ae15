import { systemClock } from '#src/core/clock.js'
import { silentLogger } from '#src/core/logger.js'
import type { Broker } from '#src/broker/broker.js'
import { openSpoolingBroker } from '#src/broker/spool/broker.js'
import { openSqliteBroker } from '#src/broker/sqlite/open.js'
import { brokerContract } from '../contract/broker-contract.js'
import type { Scope } from '../kit/temporary.js'

const behindOutbox = async (scope: Scope): Promise<Broker> => {
  const remote = await openSqliteBroker({ file: scope.file('remote.sqlite') })
  const local = await openSqliteBroker({ file: scope.file('outbox.sqlite') })
  return openSpoolingBroker({ remote, local, turnFile: scope.file('turn.sqlite'), limit: 100, clock: systemClock, log: silentLogger })
}

const CRASH = 'its remote broker loses consumers, which is tried there'

brokerContract('outbox', {
  open: behindOutbox,
  second: behindOutbox,
  except: {
    'a message whose consumer died is delivered again, as attempt 2 with one crash': CRASH,
    'every death counts': CRASH,
    'a consumer that is there already takes over from one that died': CRASH,
    'a note stays when the consumer dies': CRASH,
  },
})
