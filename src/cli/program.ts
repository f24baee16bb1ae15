import { readFileSync } from 'node:fs'
import { Command } from 'commander'
import { cancelCommand } from './cancel.js'
import { deadCommand } from './dead.js'
import { doctorCommand } from './doctor.js'
import { initCommand } from './init.js'
import { keyCommand } from './key.js'
import { replayCommand } from './replay.js'
import { restartCommand } from './restart.js'
import { schedulesCommand } from './schedules.js'
import { showCommand } from './show.js'
import { statusCommand } from './status.js'
import { stopCommand } from './stop.js'
import { tasksCommand } from './tasks.js'
import { workerCommand } from './worker.js'

/** The command line: `errand <command>`. */
export function createProgram(): Command {
  const program = new Command('errand')
    .description('Background tasks that run as the person who asked.')
    .version(packageVersion())
    .showHelpAfterError('(--help tells what there is)')
  const commands = [
    initCommand(),
    doctorCommand(),
    statusCommand(),
    schedulesCommand(),
    tasksCommand(),
    showCommand(),
    workerCommand(),
    restartCommand(),
    stopCommand(),
    keyCommand(),
  ]
  for (const command of commands) {
    // an added command does not inherit this
    program.addCommand(command.copyInheritedSettings(program))
  }
  // these have an exit code of their own for wrong use
  return program.addCommand(cancelCommand()).addCommand(deadCommand()).addCommand(replayCommand())
}

function packageVersion(): string {
  const read: unknown = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'))
  return typeof read === 'object' && read !== null && 'version' in read ? String(read.version) : 'unknown'
}
