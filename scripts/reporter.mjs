// The reporter of this project: mocha's own, then one line of totals at the very end.
import Mocha from 'mocha'
import { writeFileSync } from 'node:fs'
import { totalsLine } from './totals.mjs'

/** What is still open this long after the last test was left behind by a test, and would keep the run alive for ever. */
const LEFTOVER_MS = 10_000

export default class Reporter extends Mocha.reporters.Spec {
  epilogue() {
    super.epilogue()
    const { passes, failures, pending } = this.stats
    const totals = { passed: passes, failed: failures, skipped: pending, failures: this.failures.map(told) }
    // scripts/test.mjs adds up the runs of several Node versions and prints one line for all
    const file = process.env.ERRAND_TOTALS_FILE
    if (file === undefined) console.log(totalsLine(totals))
    else writeFileSync(file, JSON.stringify(totals))
    reportLeftovers()
  }
}

/** What the summary of several runs says about a failed test: its whole name, and where and why it failed. */
function told(test) {
  const { message = '', stack = message } = test.err ?? {}
  return `${test.fullTitle()}\n${stack.includes(message) ? stack : `${message}\n${stack}`}`
}

function reportLeftovers() {
  const timer = setTimeout(() => {
    const open = process.getActiveResourcesInfo().filter((kind) => kind !== 'TTYWrap')
    console.error(`Still open ${LEFTOVER_MS / 1000} s after the last test: ${open.join(', ')}. A test left it behind.`)
    // mocha sets the exit code to the number of failed tests when the process ends; this comes after it
    process.once('exit', () => (process.exitCode = 1))
    process.exit()
  }, LEFTOVER_MS)
  // it fires only when something else keeps the process alive
  timer.unref()
}
