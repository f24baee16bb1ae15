import type { Logger } from '../../src/core/logger.js'
import { whose } from '../worker-log.js'
import type { FromLane, LogLevel } from './protocol.js'

/** Logs through the worker: each line says whose task and user it is of, which the worker cannot know. */
export function laneLog(say: (message: FromLane) => void): Logger {
  const at = (level: LogLevel) => (message: string): void => {
    const mark = whose()
    const text = message.split('\n').map((line) => `${mark}${line}`).join('\n')
    say({ lane: 'log', level, text })
  }
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}
