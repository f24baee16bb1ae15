import { spawn, type ChildProcess } from 'node:child_process'

/** Flags of node that are for the server alone: debugger ports, watchers, test runners and code given on the command line. */
const NOT_INHERITED = /^--(inspect|debug|watch|test|eval|print|check|interactive|input-type)|^-(e|p|pe|c|i)$/
/** Of these, the ones whose value may stand in the next argument. */
const WITH_VALUE = /^--(inspect-port|debug-port|inspect-publish-uid|watch-path|test-\S+|eval|print|input-type)$|^-(e|p|pe)$/

/** The node flags of a worker: those of this process (loaders such as tsx among them), without what only one process can have. */
export function workerFlags(flags: readonly string[]): readonly string[] {
  const kept: string[] = []
  for (let index = 0; index < flags.length; index++) {
    const flag = flags[index] ?? ''
    if (!NOT_INHERITED.test(flag)) kept.push(flag)
    else if (WITH_VALUE.test(flag) && flags[index + 1]?.startsWith('-') === false) index++
  }
  return kept
}

/**
 * Starts a worker process: same node, same flags, variables and folder as this one, so that its modules find what they find here. It
 * shares the output streams. It does not keep this process alive.
 */
export function spawnWorkerProcess(main: string, { serialization = 'json' }: { readonly serialization?: 'json' | 'advanced' } = {}): ChildProcess {
  const env = { ...process.env }
  // two processes cannot have one debugger port
  if (env['NODE_OPTIONS'] !== undefined) env['NODE_OPTIONS'] = env['NODE_OPTIONS'].replaceAll(/(^|\s)--inspect\S*/g, '')
  // with it the worker would tell us what `node --watch` is to watch
  delete env['WATCH_REPORT_DEPENDENCIES']
  const child = spawn(process.execPath, [...workerFlags(process.execArgv), main], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    env,
    serialization,
    windowsHide: true,
  })
  child.unref()
  child.channel?.unref()
  return child
}
