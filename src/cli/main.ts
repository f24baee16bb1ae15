#!/usr/bin/env node
import { ErrandError } from '../errors.js'
import { createProgram } from './program.js'

createProgram()
  .parseAsync()
  .catch((error: unknown) => {
    console.error(explain(error))
    process.exitCode = 1
  })

/** Our own errors say what to do; of any other the stack is all there is. */
function explain(error: unknown): string {
  if (error instanceof ErrandError) return `errand: ${error.message} [${error.code}]`
  return error instanceof Error ? (error.stack ?? error.message) : 'errand: a value that is no error was thrown'
}
