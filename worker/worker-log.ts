import { currentScope } from '../src/core/context.js'
import type { Logger } from '../src/core/logger.js'
import type { WorkerConfig } from '../config/config.js'
import { userId } from '../src/runtime/failures.js'

const LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const

/**
 * Writes lines such as `worker[4711] info task=… user=… text`. Every line of a longer text is marked, so that none is mistaken for
 * one of the server; task and user are those of the flow that logs.
 */
export function workerLog(level: WorkerConfig['logLevel'], write: (line: string) => void): Logger {
  const at = (name: 'debug' | 'info' | 'warn' | 'error') => (message: string): void => {
    if (LEVELS.indexOf(name) < LEVELS.indexOf(level)) return
    const mark = `worker[${process.pid}] ${name} ${whose()}`
    for (const line of message.split('\n')) write(`${mark}${line}\n`)
  }
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}

/** Task and user of the flow that logs, as they stand in front of a line. */
export function whose(): string {
  const scope = currentScope()
  const user = userId(scope?.context)
  return `${scope?.task === undefined ? '' : `task=${scope.task.id} `}${user === undefined ? '' : `user=${user.replaceAll(/\s/g, '_')} `}`
}
