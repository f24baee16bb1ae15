import { isRecentRabbit } from './rabbitmq.js'

/** Cases of the broker contract that no server of RabbitMQ passes, with the reason. */
export const RABBIT_EXCEPTIONS: Readonly<Record<string, string>> = {
  'a delayed message counts as waiting': 'the server counts what lies in a queue, and a delayed message lies in a delay level',
  'being looked at is no run: the message is delivered as the same attempt, without a crash':
    'to show a message is to deliver it: the server counts that, except for dead letters, where nobody asks',
  ...(isRecentRabbit
    ? {}
    : { 'among waiting messages the one of higher priority is delivered first': 'quorum queues keep priorities from version 4.3 on' }),
}
