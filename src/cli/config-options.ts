import type { Command } from 'commander'
import type { Config } from '../../config/config.js'
import type { ConfigInput } from '../../config/load.js'
import { loadConfig } from '../../config/load.js'

/** Options of every command that reads the configuration. */
export interface ConfigOptions {
  readonly config?: string
  readonly env?: string
}

/** Adds `--config` and `--env`. */
export const takingConfig = (command: Command): Command =>
  command
    .option('--config <file>', 'the configuration file (default: async.config.yaml, searched from here up)')
    .option('--env <name>', 'the environment (default: ERRAND_ENV, else NODE_ENV, else development)')

/** The configuration that the options name. */
export const configOf = ({ config, env }: ConfigOptions, overrides?: ConfigInput): Promise<Config> =>
  loadConfig({ file: config, env, overrides })
