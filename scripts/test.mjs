// npm test: a machine with nothing but Node and npm becomes ready, every test runs, the last line says how it ended.
//   npm test -- --grep retries     passes arguments on to mocha
//   npm test -- --matrix           runs on the other supported Node versions as well (always so in CI)
//   npm test -- --faults           runs a dozen rows of the fault matrix as well (always so in CI; npm run test:faults runs all)
//   npm test -- --guard            measures as well whether Errand became slower by a factor (always so in CI; bench/README.md)
//   npm test -- --rabbit 4.3       runs the tests of RabbitMQ against that version (Debian, root; see scripts/rabbitmq4.mjs)
//   npm test -- --verbose          shows what installing and compiling print
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { installNodes, NOT_PER_NODE } from './matrix.mjs'
import { otherVersions } from './rabbitmq4.mjs'
import { bin, inherit, root, runScript, setup, StepFailed } from './setup.mjs'
import { AT_ONCE, shards } from './shards.mjs'
import { totalsLine } from './totals.mjs'

/** Leftovers of a test are told and ended after ten seconds; only a defect of the runtime takes longer. */
const HANGS_AFTER_MS = 30_000
const OURS = new Set(['--matrix', '--faults', '--guard', '--verbose'])

await runScript(async () => {
  const given = process.argv.slice(2)
  const rabbit = given.indexOf('--rabbit')
  if (rabbit >= 0) chooseRabbit(given.splice(rabbit, 2)[1])
  const mochaArgs = given.filter((arg) => !OURS.has(arg))
  const inCi = isSet(process.env.CI)

  await setup({ verbose: given.includes('--verbose') })
  await findServer('RabbitMQ', 'rabbitmq.mjs', inCi)
  await findServer('PostgreSQL', 'postgres.mjs', inCi)
  await findServer('Chromium', 'chromium.mjs', inCi)

  const runs = await runTests(process.execPath, mochaArgs)
  if (inCi || given.includes('--faults')) runs.push(await runFaults())
  if (inCi || given.includes('--matrix')) {
    runs.push(...(await runOnNewerNodes(mochaArgs)))
  }

  if (inCi || given.includes('--guard')) runs.push(await runGuard())

  const totals = sum(runs)
  // the output of a dozen parts lies above: who looks at its end sees what failed
  for (const { failures = [] } of runs) for (const failure of failures) console.log(`\nFailed: ${failure}`)
  console.log(totalsLine(totals))
  return totals.failed === 0 ? 0 : 1
})

function isSet(value) {
  return value !== undefined && !['', '0', 'false'].includes(value)
}

async function runOnNewerNodes(mochaArgs) {
  const runs = []
  try {
    for (const { version, executable } of await installNodes(['22', '24'])) {
      console.log(`\nThe same on Node ${version}`)
      runs.push(...(await runTests(executable, mochaArgs, NOT_PER_NODE)))
    }
  } catch (error) {
    // what ran so far is still to be told
    runs.push({ passed: 0, failed: 1, skipped: 0, failures: [`the newer Node versions: ${error instanceof Error ? error.stack : String(error)}`] })
  }
  return runs
}

/** All tests side by side; with arguments for mocha in one process, whose output can be followed. */
async function runTests(node, mochaArgs, without = []) {
  if (mochaArgs.length > 0) {
    const ignored = without.flatMap((pattern) => ['--ignore', pattern])
    return [await counted(node, [bin('mocha'), ...ignored, ...mochaArgs])]
  }
  const waiting = shards(without)
  const runs = []
  console.log(`Tests in ${waiting.length} parts, ${AT_ONCE} at a time; each is shown when it has ended, after some minutes.`)
  const work = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [name, args] = next
      runs.push(await counted(node, [bin('mocha'), ...args], (said) => console.log(`\nTests: ${name}\n${said}`)))
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
  return runs
}

/** Real processes and brokers, killed and cut off; on one Node, since it is not Node that is tried. */
function runFaults() {
  console.log('\nA dozen rows of the fault matrix')
  return counted(process.execPath, ['--enable-source-maps', join(root, 'build', 'test', 'faults', 'main.js'), '--brief'])
}

/** After everything else, when this machine has nothing else to do for us. */
function runGuard() {
  console.log('\nErrand against the least that could be done')
  return counted(process.execPath, ['--enable-source-maps', join(root, 'build', 'bench', 'guard.js')])
}

/**
 * A run that ended badly without a failed test (a crash, something left open) counts as one failure. With `tell` its output comes in
 * one piece at its end.
 */
async function counted(node, args, tell) {
  const folder = mkdtempSync(join(tmpdir(), 'errand-totals-'))
  const file = join(folder, 'totals.json')
  try {
    const env = { ...process.env, ERRAND_TOTALS_FILE: file }
    const code = await inherit(node, args, env, { watch: (child) => endIfItHangs(child, file), tell })
    const totals = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : { passed: 0, failed: 0, skipped: 0 }
    if (code !== 0 && totals.failed === 0) {
      totals.failed = 1
      totals.failures = [`a process of tests ended with ${code}, without a failed test: ${args.filter((arg) => arg.includes('test/')).join(' ')}`]
    }
    return totals
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** A process that has told its totals and still does not end would hold the run for ever; ended so, it counts as a failure. */
function endIfItHangs(child, totalsFile) {
  const timer = setInterval(() => {
    if (!existsSync(totalsFile)) return
    clearInterval(timer)
    const end = setTimeout(() => {
      console.error('The test process hangs at its end, and is ended.')
      child.kill('SIGTERM')
    }, HANGS_AFTER_MS)
    child.once('close', () => clearTimeout(end))
  }, 1000)
  child.once('close', () => clearInterval(timer))
}

function sum(runs) {
  const totals = { passed: 0, failed: 0, skipped: 0 }
  for (const run of runs) for (const key of Object.keys(totals)) totals[key] += run[key]
  return totals
}

/** The tests, and the processes they start, look at this variable first. */
function chooseRabbit(wanted = '') {
  const versions = otherVersions({ say: console.log })
  const chosen = versions.find(({ version }) => version === wanted || version.startsWith(`${wanted}.`))
  if (chosen === undefined) {
    const there = versions.map(({ version }) => version).join(', ') || 'none'
    throw new StepFailed(`--rabbit "${wanted}" is not there; besides the installed one there are: ${there}.`)
  }
  process.env.ERRAND_RABBIT_ROOT = chosen.root
}

/** Says which server or browser the tests use, after installing it where this user may (root); the tests find it by themselves. */
async function findServer(name, file, inCi) {
  const script = join(root, 'scripts', file)
  if (!existsSync(script)) return
  const code = await inherit(process.execPath, [script, '--install'])
  if (code !== 0) console.log(`The tests that need ${name} ${inCi ? 'will fail' : 'are skipped'}.`)
}
