import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Config } from '../config/config.js'
import type { Logger } from '../src/core/logger.js'
import type { ErrorReporter } from '../src/core/report.js'
import { loadModule, mainExport } from './load-module.js'

/** The configured error reporter; one that cannot be loaded is logged and left out, since failures must not stop the worker. */
export async function loadErrorReporter(config: Config, log: Logger): Promise<ErrorReporter | undefined> {
  if (config.errorReporter === undefined) return undefined
  const url = pathToFileURL(resolve(config.baseDir, config.errorReporter)).href
  try {
    const given = mainExport(await loadModule(url, 'error reporter'), 'errorReporter')
    // called with one report; what it answers or throws is taken care of where it is called
    if (typeof given === 'function') return given as ErrorReporter
    log.error(`The error reporter ${decodeURI(url)} is not used: its default export is no function.`)
  } catch (error) {
    log.error(`The error reporter is not used. ${error instanceof Error ? error.message : ''}`)
  }
  return undefined
}
