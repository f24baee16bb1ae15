import { expect } from 'chai'
import type { Config } from '#config/config.js'
import type { LoadOptions } from '#config/load.js'
import { loadConfig } from '#config/load.js'
import { ErrandError } from '#src/errors.js'
import { folderWith } from './folder.js'

/** Loads the configuration of a temporary folder with these files. */
export const load = (files: Readonly<Record<string, string>>, options: LoadOptions = {}): Promise<Config> =>
  loadConfig({ env: 'development', cwd: folderWith(files), ...options })

/** The error with which `loading` fails. */
export async function failure(loading: Promise<unknown>): Promise<ErrandError> {
  const error: unknown = await loading.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  expect(error).to.be.instanceOf(ErrandError)
  return error as ErrandError // the line above says so
}
