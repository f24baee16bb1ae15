import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { ErrandError } from '../errors.js'

/** What can be bound to a `?`. */
export type SqlValue = string | number | bigint | Uint8Array | null

/** The part of a prepared statement that both libraries agree on. */
export interface Statement {
  run(...values: readonly SqlValue[]): { readonly changes: number | bigint; readonly lastInsertRowid: number | bigint }
  get(...values: readonly SqlValue[]): unknown
  all(...values: readonly SqlValue[]): unknown[]
}

/** The part of a connection that both libraries agree on. */
export interface Database {
  exec(sql: string): unknown
  prepare(sql: string): Statement
  close(): unknown
}

/** Opens a file that exists; waits for no lock. */
export type Driver = (file: string) => Database

/** Where the libraries are looked for; given by tests only. */
export interface DriverPlace {
  readonly nodeVersion: string
  /** `node:sqlite`, where this Node has it. */
  readonly builtin: unknown
  /** The module whose `node_modules` are searched. */
  readonly from: string
}

const INSTALL = 'npm install better-sqlite3@12'
const OLDEST_MAJOR = 12
/** From this major on better-sqlite3 is built for Node 22 and later, and takes an older Node down when it is loaded. */
const FIRST_MAJOR_FOR_NODE_22 = 13

/**
 * The SQLite library of this process: the one in Node where there is one (22 and later), otherwise better-sqlite3.
 * @throws ErrandError `PACKAGE_MISSING`, `DRIVER_UNSUPPORTED`
 */
export function findDriver(place: DriverPlace = thisPlace()): Driver {
  if (hasDatabaseSync(place.builtin)) {
    const { DatabaseSync } = place.builtin
    return (file) => new DatabaseSync(file, { timeout: 0 })
  }
  refuseUnfitPackage(place)
  const Better: unknown = createRequire(place.from)('better-sqlite3')
  if (!isConstructor(Better)) {
    throw new ErrandError('DRIVER_UNSUPPORTED', `better-sqlite3 does not export its class as expected. Run: ${INSTALL}`)
  }
  return (file) => new Better(file, { timeout: 0 })
}

function thisPlace(): DriverPlace {
  // absent from the types of Node 20, and from Node before 20.16
  const { getBuiltinModule } = process as { getBuiltinModule?: (id: string) => unknown }
  return { nodeVersion: process.versions.node, builtin: getBuiltinModule?.('node:sqlite'), from: import.meta.url }
}

/** Looks at the version on disk, because loading an unfit build ends the process. */
function refuseUnfitPackage({ nodeVersion, from }: DriverPlace): void {
  const file = createRequire(from)
    .resolve.paths('better-sqlite3')
    ?.map((folder) => join(folder, 'better-sqlite3', 'package.json'))
    .find((candidate) => existsSync(candidate))
  if (file === undefined) {
    throw new ErrandError(
      'PACKAGE_MISSING',
      `Cannot open an SQLite file: Node ${nodeVersion} has no node:sqlite, and better-sqlite3 is not installed. Run: ${INSTALL}`,
    )
  }
  const version = versionIn(file)
  const major = Number.parseInt(version, 10)
  const isTooNew = major >= FIRST_MAJOR_FOR_NODE_22 && Number.parseInt(nodeVersion, 10) < 22
  if (major >= OLDEST_MAJOR && !isTooNew) return
  const why = isTooNew ? 'it crashes Node before 22' : 'it is too old'
  throw new ErrandError(
    'DRIVER_UNSUPPORTED',
    `Cannot use better-sqlite3 ${version} on Node ${nodeVersion}: ${why}. Run: ${INSTALL}`,
  )
}

function versionIn(file: string): string {
  const json: unknown = JSON.parse(readFileSync(file, 'utf8'))
  return typeof json === 'object' && json !== null && 'version' in json ? String(json.version) : '0'
}

type DatabaseClass = new (file: string, options: { timeout: number }) => Database

function hasDatabaseSync(module: unknown): module is { DatabaseSync: DatabaseClass } {
  return typeof module === 'object' && module !== null && 'DatabaseSync' in module && isConstructor(module.DatabaseSync)
}

/** Both libraries document this constructor; nothing at run time can tell more of a class than that it is one. */
function isConstructor(value: unknown): value is DatabaseClass {
  return typeof value === 'function'
}
