import type { System } from '../../system.js'
import { amqpConnectionManager } from './amqp-connection-manager.js'
import { bullmqSystems } from './bullmq.js'
import { celeryNodeSystems } from './celery-node.js'
import { golevelup } from './golevelup.js'
import { graphileWorker } from './graphile-worker.js'
import { nestRmq } from './nest-rmq.js'
import { pgBoss } from './pg-boss.js'
import { plainjobSystems } from './plainjob.js'
import { rabbitmqClient } from './rabbitmq-client.js'
import { refusedSystems } from './refused.js'
import { sidequest } from './sidequest.js'

/** Other systems, in the order of the tables. */
export const peers: readonly System[] = [
  rabbitmqClient,
  amqpConnectionManager,
  golevelup,
  nestRmq,
  ...bullmqSystems,
  ...plainjobSystems,
  pgBoss,
  graphileWorker,
  sidequest,
  ...celeryNodeSystems,
  ...refusedSystems,
]
