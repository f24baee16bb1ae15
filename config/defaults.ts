import { availableParallelism } from 'node:os'

/** What holds for a key that is not given, in the form a user would write it. The schema documents it, the resolver uses it. */
export const DEFAULTS = {
  withAsync: false,
  services: [],
  dataDir: '.errand',
  broker: 'sqlite',
  store: 'sqlite',
  keepCompleted: '1d',
  keepFailed: '30d',
  seal: 'secrets',
  headers: ['authorization', 'accept-language', 'x-request-id', 'traceparent', 'tracestate'],
  secretHeaders: ['authorization', 'cookie', 'proxy-authorization', 'x-api-key'],
  outsideRequest: 'enqueue',
  whenBrokerAway: 'reject',
  outboxLimit: 100_000,
  payloadLimit: '1mb',
  expires: '30d',
  resultTimeout: '30s',
  retries: 0,
  maxCrashes: 3,
  timeLimit: 0,
  timeLimitGrace: '5s',
  reverify: false,
  errorStacks: false,
  carriers: [],
  schedules: [],
} as const

/** Defaults of the `broker` section. */
export const BROKER_DEFAULTS = {
  file: 'queue.sqlite',
  durability: 'full',
  queueType: 'quorum',
  connectTimeout: '10s',
  confirmTimeout: '30s',
  heartbeat: '10s',
  ackTimeout: '30m',
} as const

/** Defaults of the `callbacks` section. */
export const CALLBACK_DEFAULTS = {
  hosts: [],
  allowPrivate: false,
  timeout: '10s',
  retries: 8,
} as const

/** Name in `dataDir` of the file of the store where it is not that of the embedded queue. */
export const STORE_FILE = 'tasks.sqlite'

/** Defaults of the `worker` section; `concurrency` depends on the machine. */
export const WORKER_DEFAULTS = {
  spawn: true,
  processes: 1,
  queues: ['default'],
  grace: '30s',
  isolation: 'inline',
  maxMemory: 0,
  keepAlive: true,
  listen: false,
  logLevel: 'info',
} as const

/** Two tasks per CPU that this process may use, and at least two: tasks mostly wait. */
export const defaultConcurrency = (): number => Math.max(2, 2 * availableParallelism())
