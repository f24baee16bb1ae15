import type { Config, ConfigInput } from 'errand'
import { loadConfig } from '#config/load.js'
import type { Scope } from './temporary.js'

/** The configuration of a service that lives in the folder of the test. */
export function serviceConfig(scope: Scope, overrides: ConfigInput = {}): Promise<Config> {
  return loadConfig({ cwd: scope.folder(), env: 'test', overrides: { withAsync: true, service: 'orders', ...overrides } })
}
