import { register, withContext } from 'errand'
import type { Config } from '#config/config.js'
import type { Broker, OutgoingMessage } from '#src/broker/broker.js'
import { compose, type Composed } from '#src/compose.js'
import { encodeArguments } from '#src/core/codec/encode.js'
import { decodeValue } from '#src/core/codec/decode.js'
import { makeContext } from '#src/core/context.js'
import { LazySignal } from '#src/core/lazy-signal.js'
import { silentLogger } from '#src/core/logger.js'
import type { CallMessage } from '#src/core/message.js'
import { setAppState } from '#src/runtime/app.js'
import { createExecutor } from '#src/runtime/execute.js'
import { Replies } from '#src/runtime/replies.js'
import { openMemoryStore } from '#src/store/memory.js'
import { askerOf, emailOf, Rich, richOf } from '../payload.js'
import type { Parts } from '../system.js'
import { Mailer } from './errand-tasks.js'

const SUBJECT = 'Cannot send Mailer.deliver'

/** What Errand does in a process for one call and for one run, and single parts of that. Where states are kept, they are in memory. */
export async function openErrandParts(config: Config): Promise<Parts> {
  const sent: OutgoingMessage[] = []
  const broker = brokerInto(sent)
  const store = config.store.kind === 'off' ? undefined : openMemoryStore()
  const runtime = await compose(config, { log: silentLogger, broker, store })
  setAppState({ kind: 'on', runtime, replies: new Replies(broker, runtime.messages, silentLogger) })
  const executor = createExecutor(runtime)
  const mailer = new Mailer()
  return {
    all: {
      'one call': (number) => withContext(askerOf(number), () => mailer.deliver(emailOf(number))),
      'one run': async () => {
        const message = sent.pop()
        if (message === undefined) throw new Error('more runs than calls')
        const verdict = await executor.run({ ...message, attempt: 1, crashes: 0, priority: 4 }, new LazySignal())
        if (verdict.kind !== 'done') throw new Error(`a run ended with "${verdict.kind}"`)
      },
      ...codecParts(),
      ...messageParts(runtime),
    },
    close: async () => {
      setAppState({ kind: 'stopped' })
      await runtime.close()
      await store?.close()
    },
  }
}

function codecParts(): Parts['all'] {
  register(Rich)
  const args = encodeArguments([emailOf(0)], SUBJECT)
  const rich = encodeArguments([richOf(0)], SUBJECT)
  return {
    'encode arguments': (number) => encodeArguments([emailOf(number)], SUBJECT),
    'decode arguments': () => decodeValue(args),
    'encode a class, dates and big integers': (number) => encodeArguments([richOf(number)], SUBJECT),
    'decode a class, dates and big integers': () => decodeValue(rich),
  }
}

/** The arguments count as written already, but their text is made for bare JSON as well. */
function messageParts({ messages }: Composed): Parts['all'] {
  const contextOf = (number: number): CallMessage['context'] => makeContext(askerOf(number))
  const known = contextOf(0)
  const sealed = messages.sealCall(callOf(0, known))
  return {
    'seal, same request': (number) => messages.sealCall(callOf(number, known)),
    'seal, new request': (number) => messages.sealCall(callOf(number, contextOf(number))),
    open: () => messages.openCall(sealed).readArguments(),
  }
}

const callOf = (number: number, context: CallMessage['context']): CallMessage => ({
  id: '0197a2c4-77aa-7c31-b1d0-3a4a0e3a8a11',
  task: 'Mailer.deliver',
  args: JSON.stringify([emailOf(number)]),
  context,
  carriers: undefined,
  sentAt: Date.now(),
  expiresAt: undefined,
  replyTo: undefined,
})

/** Takes every message at once, and gives none out. */
function brokerInto(sent: OutgoingMessage[]): Broker {
  return {
    features: { name: 'none', survivesRestart: false, crossHost: false, delayStepMs: 0, storesInOrder: false },
    publish: async (message) => void sent.push(message),
    consume: async () => ({ stop: async () => {} }),
    count: async () => ({ waiting: sent.length, dead: 0 }),
    browse: async () => {},
    ping: async () => {},
    close: async () => {},
    [Symbol.asyncDispose]: async () => {},
  }
}
