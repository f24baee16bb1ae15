import { openMemoryLocks } from '#src/broker/memory/locks.js'
import { locksContract } from '../contract/locks-contract.js'

const ONE_PROCESS = 'its names live and die with the one process they are in'

locksContract('memory', {
  open: async () => openMemoryLocks(),
  except: {
    'the death of the process that holds a name frees it': ONE_PROCESS,
    'the death of a process frees nothing that another holds': ONE_PROCESS,
    'a lost connection aborts what was held, and the names are free': ONE_PROCESS,
    'closing frees every name': 'there is no second connection that could find them free',
    'what is being taken while they close is not held afterwards': 'there is no second connection that could find them free',
  },
})
