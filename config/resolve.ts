import { resolve } from 'node:path'
import { toMs } from '../src/core/duration.js'
import { toBytes } from './byte-size.js'
import type { BrokerConfig, CallbacksConfig, Config, ScheduleConfig, StoreConfig, WorkerConfig } from './config.js'
import { BROKER_DEFAULTS, CALLBACK_DEFAULTS, DEFAULTS, defaultConcurrency, STORE_FILE, WORKER_DEFAULTS } from './defaults.js'
import type { BrokerSection, MergedInput } from './merge.js'

/** What a configuration needs to know of where it stands. */
export interface Surroundings {
  readonly baseDir: string
  readonly file: string | undefined
  /** Names for when the configuration gives none. */
  readonly service: string
  readonly environment: string
}

/** Fills in every default, makes the paths of files absolute, and freezes. */
export function resolveConfig(input: MergedInput, around: Surroundings): Config {
  const service = input.service ?? around.service
  const dataDir = resolve(around.baseDir, input.dataDir ?? DEFAULTS.dataDir)
  const { key, keys = key === undefined ? [] : [key], services = DEFAULTS.services } = input
  const broker = resolveBroker(input.broker ?? {}, { baseDir: around.baseDir, dataDir, service })
  return deepFreeze({
    withAsync: input.withAsync ?? DEFAULTS.withAsync,
    service,
    environment: input.environment ?? around.environment,
    baseDir: around.baseDir,
    file: around.file,
    services: typeof services === 'string' ? [services] : [...services],
    container: input.container,
    dataDir,
    broker,
    database: input.database,
    store: resolveStore(input.store, broker, { baseDir: around.baseDir, dataDir }),
    keepCompletedMs: toMs(input.keepCompleted ?? DEFAULTS.keepCompleted, 'keepCompleted'),
    keepFailedMs: toMs(input.keepFailed ?? DEFAULTS.keepFailed, 'keepFailed'),
    seal: input.seal ?? DEFAULTS.seal,
    keys: [...keys],
    headers: lowerCase(input.headers ?? DEFAULTS.headers),
    secretHeaders: lowerCase([...DEFAULTS.secretHeaders, ...(input.secretHeaders ?? [])]),
    whenBrokerAway: input.whenBrokerAway ?? DEFAULTS.whenBrokerAway,
    outboxLimit: input.outboxLimit ?? DEFAULTS.outboxLimit,
    outsideRequest: input.outsideRequest ?? DEFAULTS.outsideRequest,
    // the schema admits only sizes that can be read
    payloadLimit: toBytes(input.payloadLimit ?? DEFAULTS.payloadLimit) ?? 0,
    expiresMs: toMs(input.expires ?? DEFAULTS.expires, 'expires'),
    resultTimeoutMs: toMs(input.resultTimeout ?? DEFAULTS.resultTimeout, 'resultTimeout'),
    retries: input.retries ?? DEFAULTS.retries,
    maxCrashes: input.maxCrashes ?? DEFAULTS.maxCrashes,
    timeLimitMs: toMs(input.timeLimit ?? DEFAULTS.timeLimit, 'timeLimit'),
    timeLimitGraceMs: toMs(input.timeLimitGrace ?? DEFAULTS.timeLimitGrace, 'timeLimitGrace'),
    reverify: input.reverify ?? DEFAULTS.reverify,
    errorStacks: input.errorStacks ?? DEFAULTS.errorStacks,
    carriers: [...(input.carriers ?? DEFAULTS.carriers)],
    errorReporter: input.errorReporter,
    schedules: (input.schedules ?? DEFAULTS.schedules).map(resolveSchedule),
    callbacks: resolveCallbacks(input.callbacks ?? {}),
    worker: resolveWorker(input.worker ?? {}),
  })
}

function resolveBroker(
  given: BrokerSection,
  { baseDir, dataDir, service }: { readonly baseDir: string; readonly dataDir: string; readonly service: string },
): BrokerConfig {
  if (given.isMemory === true) return { kind: 'memory' }
  const urls = given.urls ?? (given.url === undefined ? [] : [given.url])
  if (urls.length === 0) {
    const isNamed = given.file !== undefined && given.file !== ''
    const file = isNamed ? resolve(baseDir, given.file ?? '') : resolve(dataDir, BROKER_DEFAULTS.file)
    return { kind: 'sqlite', file, durability: given.durability ?? BROKER_DEFAULTS.durability }
  }
  const heartbeatMs = toMs(given.heartbeat ?? BROKER_DEFAULTS.heartbeat, 'broker.heartbeat')
  return {
    kind: 'rabbitmq',
    urls: [...urls],
    namespace: given.namespace ?? service,
    queueType: given.queueType ?? BROKER_DEFAULTS.queueType,
    connectTimeoutMs: toMs(given.connectTimeout ?? BROKER_DEFAULTS.connectTimeout, 'broker.connectTimeout'),
    confirmTimeoutMs: toMs(given.confirmTimeout ?? BROKER_DEFAULTS.confirmTimeout, 'broker.confirmTimeout'),
    // the protocol knows whole seconds only, and 0 for none
    heartbeatSeconds: Math.ceil(heartbeatMs / 1000),
    ackTimeoutMs: toMs(given.ackTimeout ?? BROKER_DEFAULTS.ackTimeout, 'broker.ackTimeout'),
    tls: resolveTls(given.tls ?? {}, baseDir),
  }
}

/** The embedded queue and the store stand in one file where nothing else is said: then a call is queued and known in one step. */
function resolveStore(given: string | undefined, broker: BrokerConfig, around: { readonly baseDir: string; readonly dataDir: string }): StoreConfig {
  const store = given ?? (broker.kind === 'memory' ? 'memory' : DEFAULTS.store)
  if (store === 'memory' || store === 'off') return { kind: store }
  if (store.startsWith('postgres')) return { kind: 'postgres', url: store }
  const durability = broker.kind === 'sqlite' ? broker.durability : BROKER_DEFAULTS.durability
  if (store !== 'sqlite') return { kind: 'sqlite', file: resolve(around.baseDir, store.slice('sqlite:'.length)), durability }
  return { kind: 'sqlite', file: broker.kind === 'sqlite' ? broker.file : resolve(around.dataDir, STORE_FILE), durability }
}

type Tls = Extract<BrokerConfig, { kind: 'rabbitmq' }>['tls']

function resolveTls(given: NonNullable<BrokerSection['tls']>, baseDir: string): Tls {
  const { ca, cert, key, passphrase } = given
  return {
    ...(ca === undefined ? {} : { ca: resolve(baseDir, ca) }),
    ...(cert === undefined ? {} : { cert: resolve(baseDir, cert) }),
    ...(key === undefined ? {} : { key: resolve(baseDir, key) }),
    ...(passphrase === undefined ? {} : { passphrase }),
  }
}

function resolveCallbacks(given: NonNullable<MergedInput['callbacks']>): CallbacksConfig {
  return {
    hosts: lowerCase(given.hosts ?? CALLBACK_DEFAULTS.hosts),
    allowPrivate: given.allowPrivate ?? CALLBACK_DEFAULTS.allowPrivate,
    secret: given.secret,
    timeoutMs: toMs(given.timeout ?? CALLBACK_DEFAULTS.timeout, 'callbacks.timeout'),
    retries: given.retries ?? CALLBACK_DEFAULTS.retries,
  }
}

function resolveWorker(given: NonNullable<MergedInput['worker']>): WorkerConfig {
  return {
    spawn: given.spawn ?? WORKER_DEFAULTS.spawn,
    processes: given.processes ?? WORKER_DEFAULTS.processes,
    concurrency: given.concurrency ?? defaultConcurrency(),
    queues: [...new Set(given.queues ?? WORKER_DEFAULTS.queues)],
    graceMs: toMs(given.grace ?? WORKER_DEFAULTS.grace, 'worker.grace'),
    isolation: given.isolation ?? WORKER_DEFAULTS.isolation,
    maxMemoryMb: given.maxMemory ?? WORKER_DEFAULTS.maxMemory,
    keepAlive: given.keepAlive ?? WORKER_DEFAULTS.keepAlive,
    listen: given.listen ?? WORKER_DEFAULTS.listen,
    logLevel: given.logLevel ?? WORKER_DEFAULTS.logLevel,
  }
}

/** The keys that are given, as plain data: it travels to the worker process. */
function resolveSchedule(given: NonNullable<MergedInput['schedules']>[number]): ScheduleConfig {
  // the schema admits only durations that can be read
  return structuredClone(Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))) as unknown as ScheduleConfig
}

const lowerCase = (names: readonly string[]): string[] => [...new Set(names.map((name) => name.toLowerCase()))]

function deepFreeze<T extends object>(value: T): T {
  for (const inner of Object.values(value)) {
    if (typeof inner === 'object' && inner !== null) deepFreeze(inner)
  }
  return Object.freeze(value)
}
