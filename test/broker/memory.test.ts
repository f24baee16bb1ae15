import { openMemoryBroker } from '#src/broker/memory/broker.js'
import { brokerContract } from '../contract/broker-contract.js'

const ONE_PROCESS = 'its queues live and die with the one process they are in'

brokerContract('memory', {
  open: async () => openMemoryBroker(),
  except: {
    'a message whose consumer died is delivered again, as attempt 2 with one crash': ONE_PROCESS,
    'every death counts': ONE_PROCESS,
    'a consumer that is there already takes over from one that died': ONE_PROCESS,
    'a note stays when the consumer dies': ONE_PROCESS,
    'what was in hand when its connection closed comes to another': ONE_PROCESS,
    'what ended just before its connection closed does not come again': ONE_PROCESS,
    'what was handed back just before its connection closed comes once, uncounted': ONE_PROCESS,
    'a message being published when the connection closes is stored': ONE_PROCESS,
    'a temporary queue goes with the connection that had it': ONE_PROCESS,
  },
})
