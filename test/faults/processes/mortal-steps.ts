// Lets a worker die at the steps of the RabbitMQ driver that no task body sees.
import { Acknowledger } from '#src/broker/rabbitmq/consume/acknowledger.js'
import { Publisher } from '#src/broker/rabbitmq/publish/publisher.js'
import { Watches } from '#src/broker/rabbitmq/watch/watch.js'
import { dieAt } from './deaths.js'

/** By then the acknowledgement that follows the markers of a long run is with the server. */
const WATCHED_MS = 300

export function makeMortal(): void {
  const { done } = Acknowledger.prototype
  Acknowledger.prototype.done = function (...args) {
    dieAt('before the acknowledgement')
    done.apply(this, args)
  }
  const { publish } = Publisher.prototype
  Publisher.prototype.publish = async function (...args) {
    dieAt('before a successor is sent')
    const stored = publish.apply(this, args)
    setImmediate(() => dieAt('successor sent, not confirmed'))
    await stored
    dieAt('successor stored, not acknowledged')
  }
  const { begin, end } = Watches.prototype
  Watches.prototype.begin = async function (...args) {
    dieAt('before the watch')
    const watched = await begin.apply(this, args)
    dieAt('on watch, not acknowledged')
    setTimeout(() => dieAt('watched'), WATCHED_MS)
    return watched
  }
  Watches.prototype.end = async function (...args) {
    dieAt('before the end marker')
    const isOwn = await end.apply(this, args)
    dieAt('after the end marker')
    return isOwn
  }
}
