import { wholeOf, type Whole } from '../../payload.js'
import { inTurns, type Body, type Caller, type Closing, type Place, type System } from '../../system.js'
import { loadPeer, peerRefusal } from './load-peer.js'

interface Microservices {
  readonly ClientProxyFactory: { create(options: object): Client }
  readonly Transport: { readonly RMQ: number }
  readonly MessagePattern: (pattern: string) => MethodDecorator
  readonly EventPattern: (pattern: string) => MethodDecorator
  readonly Payload: () => ParameterDecorator
  readonly Ctx: () => ParameterDecorator
}

interface Client {
  connect(): Promise<unknown>
  emit(pattern: string, data: Whole): unknown
  send(pattern: string, data: Whole): unknown
  close(): Promise<void>
}

interface Nest {
  readonly NestFactory: { createMicroservice(module: object, options: object): Promise<{ listen(): Promise<unknown>; close(): Promise<void> }> }
}

interface Common {
  readonly Logger: { overrideLogger(levels: readonly string[]): void }
  readonly Controller: () => ClassDecorator
  readonly Module: (options: object) => ClassDecorator
}

interface Rxjs {
  readonly lastValueFrom: (observable: unknown, options: object) => Promise<unknown>
}

/** What a handler is given beside the data: the message, to be acknowledged. */
interface RmqContext {
  getChannelRef(): { ack(message: unknown): void }
  getMessage(): unknown
}

const PACKAGES = ['@nestjs/microservices', '@nestjs/core', 'amqplib']
const CONCURRENCY = 100

/** Tasks are events, results its request and reply; `noAck: false` and an acknowledgement after the body, which is not its default. */
export const nestRmq: System = {
  name: 'nest-rmq',
  server: 'rabbitmq',
  yardstick: 'raw-rabbitmq',
  setting: 'Nest 11; quorum queue, persistent, confirms, acknowledged after the body, prefetch 100, noDelay, direct reply-to',
  packages: PACKAGES,
  refusal: () => peerRefusal(PACKAGES),
  openCaller,
  startWorker,
}

async function settings({ urls, name }: Place): Promise<{ readonly library: Microservices; readonly options: object }> {
  await loadPeer('reflect-metadata')
  const { Logger } = await loadPeer<Common>('@nestjs/common')
  Logger.overrideLogger(['error', 'warn'])
  const library = await loadPeer<Microservices>('@nestjs/microservices')
  const options = {
    urls: [urls.rabbitmq],
    queue: name,
    queueOptions: { durable: true, arguments: { 'x-queue-type': 'quorum' } },
    persistent: true,
    prefetchCount: CONCURRENCY,
    socketOptions: { connectionOptions: { noDelay: true } },
  }
  return { library, options: { transport: library.Transport.RMQ, options } }
}

async function openCaller(place: Place): Promise<Caller> {
  const { library, options } = await settings(place)
  const { lastValueFrom } = await loadPeer<Rxjs>('rxjs')
  const client = library.ClientProxyFactory.create(options)
  await client.connect()
  const ended = { defaultValue: undefined }
  return {
    dispatch: (count, inFlight) => inTurns(count, inFlight, (number) => lastValueFrom(client.emit('deliver', wholeOf(number)), ended)),
    result: (number) => lastValueFrom(client.send('answer', wholeOf(number)), ended),
    close: () => client.close(),
  }
}

async function startWorker(place: Place, body: Body): Promise<Closing> {
  const { library, options } = await settings(place)
  const { Controller, Module } = await loadPeer<Common>('@nestjs/common')
  const { NestFactory } = await loadPeer<Nest>('@nestjs/core')
  const { EventPattern, MessagePattern, Payload, Ctx } = library

  @Controller()
  class Mailer {
    @EventPattern('deliver')
    async deliver(@Payload() whole: Whole, @Ctx() context: RmqContext): Promise<void> {
      await this.answer(whole, context)
    }

    @MessagePattern('answer')
    async answer(@Payload() { email, asker }: Whole, @Ctx() context: RmqContext): Promise<string> {
      const answer = await body(email, asker.user.id)
      context.getChannelRef().ack(context.getMessage())
      return answer
    }
  }
  @Module({ controllers: [Mailer] })
  class Application {}

  // its options are one object of two levels, and noAck is of the worker alone
  const { options: inner } = options as { readonly options: object }
  const service = await NestFactory.createMicroservice(Application, { ...options, options: { ...inner, noAck: false } })
  await service.listen()
  return { close: () => service.close() }
}
