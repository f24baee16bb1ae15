// Which part of the library may import which: imports point down. A file may always import its own part.

/** A part and the parts it may import. The first pattern that matches a path decides where the file belongs. */
interface Layer {
  readonly name: string
  readonly files: RegExp
  readonly mayImport: readonly string[]
}

const DRIVERS = ['broker/memory', 'broker/sqlite', 'broker/rabbitmq', 'broker/spool']
const STORES = ['store/memory', 'store/sqlite', 'store/postgres']
const LOWER = ['errors', 'core', 'port']
/** Connections, names on the server, and messages: what the rooms of the RabbitMQ driver share. */
const RABBITMQ_GROUND = ['rabbitmq/link', 'rabbitmq/topology', 'rabbitmq/message']
const RABBITMQ_ROOMS = [...RABBITMQ_GROUND, 'rabbitmq/publish', 'rabbitmq/watch', 'rabbitmq/consume']
/** What stands on both ports. */
const BELOW = [...LOWER, 'store']

export const LAYERS: readonly Layer[] = [
  { name: 'errors', files: /^src\/errors\.ts$/, mayImport: [] },
  { name: 'core', files: /^src\/core\//, mayImport: ['errors'] },
  { name: 'port', files: /^src\/broker\/(?:broker|locks|on-commit)\.ts$/, mayImport: ['errors', 'core'] },
  { name: 'sqlite', files: /^src\/sqlite\//, mayImport: ['errors', 'core'] },
  { name: 'broker/memory', files: /^src\/broker\/memory(?:\.ts$|\/)/, mayImport: LOWER },
  { name: 'broker/sqlite', files: /^src\/broker\/sqlite\//, mayImport: [...LOWER, 'sqlite'] },
  // the doors, the broker and the locks; their rooms stand one on the other, and nobody else sees them
  { name: 'broker/rabbitmq', files: /^src\/broker\/rabbitmq\/[a-z-]+\.ts$/, mayImport: [...LOWER, ...RABBITMQ_ROOMS] },
  { name: 'rabbitmq/link', files: /^src\/broker\/rabbitmq\/link\//, mayImport: LOWER },
  { name: 'rabbitmq/topology', files: /^src\/broker\/rabbitmq\/topology\//, mayImport: [...LOWER, 'rabbitmq/link'] },
  // in memory only: what goes to the server and what comes from it
  { name: 'rabbitmq/message', files: /^src\/broker\/rabbitmq\/message\//, mayImport: [...LOWER, 'rabbitmq/topology'] },
  { name: 'rabbitmq/publish', files: /^src\/broker\/rabbitmq\/publish\//, mayImport: [...LOWER, ...RABBITMQ_GROUND] },
  { name: 'rabbitmq/watch', files: /^src\/broker\/rabbitmq\/watch\//, mayImport: [...LOWER, ...RABBITMQ_GROUND] },
  {
    name: 'rabbitmq/consume',
    files: /^src\/broker\/rabbitmq\/consume\//,
    mayImport: [...LOWER, ...RABBITMQ_GROUND, 'rabbitmq/publish', 'rabbitmq/watch'],
  },
  // in front of two brokers it does not know; 'sqlite' for the lock of a file, which the system takes from the dead
  { name: 'broker/spool', files: /^src\/broker\/spool\//, mayImport: [...LOWER, 'sqlite'] },
  // the port and what every driver shares: how changes are applied, what is refused, what a search means
  { name: 'store', files: /^src\/store\/(?!memory)[a-z-]+\.ts$/, mayImport: ['errors', 'core'] },
  { name: 'store/memory', files: /^src\/store\/memory\.ts$/, mayImport: ['errors', 'core', 'store'] },
  { name: 'store/sqlite', files: /^src\/store\/sqlite\//, mayImport: ['errors', 'core', 'store', 'sqlite'] },
  { name: 'store/postgres', files: /^src\/store\/postgres\//, mayImport: ['errors', 'core', 'store'] },
  // publishes what transactions left in the database of the application, whose connection is made like that of the store
  { name: 'outbox', files: /^src\/outbox\//, mayImport: [...LOWER, 'store/postgres'] },
  { name: 'config', files: /^config\//, mayImport: ['errors', 'core'] },
  { name: 'runtime', files: /^src\/runtime\//, mayImport: BELOW },
  { name: 'carriers', files: /^src\/carriers\//, mayImport: ['errors', 'core'] },
  { name: 'compose', files: /^src\/compose(?:\.ts$|\/)/, mayImport: [...BELOW, ...DRIVERS, ...STORES, 'sqlite', 'outbox', 'config', 'runtime', 'carriers'] },
  { name: 'use-carriers', files: /^src\/use-carriers\.ts$/, mayImport: ['errors', 'core', 'config', 'carriers'] },
  // the server's side of the worker: how it is started and watched, not what it does
  { name: 'worker/supervisor', files: /^worker\/supervisor(?:\.ts$|\/|-)/, mayImport: ['errors', 'core', 'config'] },
  {
    name: 'start',
    files: /^src\/start\.ts$/,
    // 'orders' for the tasks of this library
    mayImport: [...BELOW, 'config', 'runtime', 'orders', 'compose', 'use-carriers', 'worker/supervisor'],
  },
  // opens the configured broker for scripts and the command line, which start nothing
  { name: 'dead-letters', files: /^src\/dead-letters\.ts$/, mayImport: [...BELOW, 'config', 'runtime', 'compose'] },
  { name: 'schedules', files: /^src\/schedules\.ts$/, mayImport: [...BELOW, 'config', 'runtime', 'compose'] },
  {
    name: 'testing',
    files: /^src\/testing(?:\.ts$|\/)/,
    mayImport: [...BELOW, 'broker/memory', 'store/memory', 'config', 'runtime', 'compose', 'start'],
  },
  // hooks for the application's own database, each with its package as types only
  { name: 'transactions', files: /^src\/transactions\//, mayImport: ['errors', 'core', 'runtime'] },
  // calls as orders, which people place and follow; knows no HTTP
  { name: 'orders', files: /^src\/orders\//, mayImport: [...BELOW, 'runtime'] },
  // Request -> Response, in the words of the web standard
  { name: 'http', files: /^src\/http\//, mayImport: [...BELOW, 'runtime', 'orders'] },
  { name: 'frameworks', files: /^src\/frameworks\//, mayImport: ['errors', 'core', 'runtime', 'http', 'start'] },
  // lazily, where the configuration names a Nest module: the one place where a worker meets a framework
  {
    name: 'worker/container',
    files: /^worker\/load-container\.ts$/,
    mayImport: [...BELOW, 'config', 'runtime', 'worker', 'frameworks'],
  },
  {
    name: 'worker',
    files: /^worker\//,
    // 'orders' for the tasks of this library, which no service of the application imports
    mayImport: [...BELOW, 'config', 'runtime', 'orders', 'compose', 'use-carriers', 'worker/supervisor', 'worker/container'],
  },
  {
    name: 'cli',
    files: /^src\/cli\//,
    mayImport: [...BELOW, 'config', 'runtime', 'compose', 'dead-letters', 'schedules', 'start', 'worker', 'worker/supervisor', 'worker/container'],
  },
  { name: 'index', files: /^src\/index\.ts$/, mayImport: [...BELOW, 'config', 'runtime', 'dead-letters', 'schedules', 'start', 'carriers', 'orders'] },
]

/** Packages and the files that may import them; everything else is refused. */
export const PACKAGES: Readonly<Record<string, RegExp>> = {
  amqplib: /^src\/broker\/rabbitmq\//,
  zod: /^config\//,
  yaml: /^config\//,
  croner: /^src\/core\/schedule\/cron\.ts$/,
  commander: /^src\/cli\//,
  'reflect-metadata': /^src\/runtime\/decorator\.ts$/,
  pg: /^src\/(?:store\/postgres\/client|transactions\/pg)\.ts$/,
  knex: /^src\/transactions\/knex\.ts$/,
  'better-sqlite3': /^src\/sqlite\//,
  'class-transformer': /^src\/core\/codec\/class-transformer\.ts$/,
  'cls-hooked': /^src\/carriers\/cls-hooked\.ts$/,
  'nestjs-cls': /^src\/carriers\/nestjs-cls\.ts$/,
  '@opentelemetry/api': /^src\/carriers\/opentelemetry\.ts$/,
  express: /^src\/frameworks\/express\.ts$/,
  fastify: /^src\/frameworks\/fastify\.ts$/,
  '@nestjs/common': /^src\/frameworks\/nest(?:-module)?\.ts$/,
  '@nestjs/core': /^src\/frameworks\/nest(?:-module)?\.ts$/,
  rxjs: /^src\/frameworks\/nest\.ts$/,
}

/** `core/` knows no file, socket or process: only these modules of Node. */
export const NODE_MODULES_OF_CORE = ['async_hooks', 'buffer', 'crypto', 'events', 'module', 'url', 'util', 'util/types'].map(
  (name) => `node:${name}`,
)

/** Ports: interfaces that others implement; small enough to implement in an afternoon. */
export const PORTS: Readonly<Record<string, readonly string[]>> = {
  'src/broker/broker.ts': ['Broker', 'Subscription'],
  'src/broker/locks.ts': ['Locks', 'Held'],
  'src/broker/on-commit.ts': ['OnCommit'],
  'src/store/store.ts': ['Store', 'Watch'],
  'src/http/page/bodies.ts': ['ResponseBodies'],
  'src/core/carrier.ts': ['Carrier'],
  'src/core/clock.ts': ['Clock'],
  'src/core/logger.ts': ['Logger'],
  'src/core/message.ts': ['Messages'],
}

export const layerOf = (path: string): Layer | undefined => LAYERS.find((layer) => layer.files.test(path))
