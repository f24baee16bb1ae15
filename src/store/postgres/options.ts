import { systemClock, type Clock } from '../../core/clock.js'
import { silentLogger, type Logger } from '../../core/logger.js'
import { refuseUnknownKeys, show, withoutUndefined } from '../../core/options.js'
import { ErrandError } from '../../errors.js'

export interface PostgresStoreOptions {
  /** `postgres://user:password@host:5432/database`; parameters as libpq knows them (`sslmode=require`) may follow. */
  readonly url: string
  /** The schema that holds the tables, made where there is none. @defaultValue 'errand' */
  readonly schema?: string | undefined
  /** Keeps the tasks of several services in one schema apart. @defaultValue '' */
  readonly namespace?: string | undefined
  /** Milliseconds for which a call tries to reach the server before it rejects. @defaultValue 10000 */
  readonly patienceMs?: number | undefined
  /** Where time comes from. @defaultValue the system's clock */
  readonly clock?: Clock | undefined
  /** Hears of failures in the background. @defaultValue says nothing */
  readonly log?: Logger | undefined
}

export type ResolvedPostgresOptions = { readonly [K in keyof PostgresStoreOptions]-?: Exclude<PostgresStoreOptions[K], undefined> } & {
  /** The address as messages may show it: without user, password and parameters. */
  readonly shownUrl: string
}

const DEFAULTS = { schema: 'errand', namespace: '', patienceMs: 10_000, clock: systemClock, log: silentLogger } as const

/** @throws ErrandError `OPTION_INVALID` */
export function resolvePostgresOptions(given: PostgresStoreOptions): ResolvedPostgresOptions {
  refuseUnknownKeys('openPostgresStore', given, ['url', ...Object.keys(DEFAULTS)])
  const options = { ...DEFAULTS, ...withoutUndefined(given) }
  if (!/^[a-z_][a-z0-9_]{0,40}$/.test(options.schema)) {
    throw new ErrandError('OPTION_INVALID', `The schema must be small letters, digits and _, 41 at most, got ${show(options.schema)}.`)
  }
  if (!(options.patienceMs > 0)) {
    throw new ErrandError('OPTION_INVALID', `patienceMs must be milliseconds above 0, got ${show(options.patienceMs)}.`)
  }
  return Object.freeze({ ...options, shownUrl: shownUrl(options.url) })
}

function shownUrl(url: string): string {
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  if (parsed !== undefined && /^postgres(ql)?:$/.test(parsed.protocol)) return `${parsed.protocol}//${parsed.host}${parsed.pathname}`
  throw new ErrandError('OPTION_INVALID', 'The url of the PostgreSQL store must be like postgres://user:password@host:5432/database.')
}
