import type { Database, Statement } from './driver.js'

/** A prepared statement for each name of `sql`. Parameters are positional: the two libraries read numbered ones differently. */
export function prepareAll<K extends string>(db: Database, sql: Readonly<Record<K, string>>): Readonly<Record<K, Statement>> {
  const prepared = Object.entries<string>(sql).map(([name, text]) => [name, db.prepare(text)])
  // one for each name, by the line above
  return Object.fromEntries(prepared) as Record<K, Statement>
}
