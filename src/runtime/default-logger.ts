import type { Logger } from '../core/logger.js'

const LEVELS = ['debug', 'info', 'warn', 'error'] as const
/** What is logged from a level up; `silent` logs nothing. */
export type LogLevel = (typeof LEVELS)[number] | 'silent'

/** A logger that writes one line a message, marked with who writes and the level, to `stream`. */
export function lineLogger(who: string, level: LogLevel, stream: { write(text: string): unknown }): Logger {
  const from = level === 'silent' ? LEVELS.length : LEVELS.indexOf(level)
  const writer = (name: (typeof LEVELS)[number]) => (message: string) => {
    if (LEVELS.indexOf(name) >= from) stream.write(`${who} ${name} ${message}\n`)
  }
  return { debug: writer('debug'), info: writer('info'), warn: writer('warn'), error: writer('error') }
}
