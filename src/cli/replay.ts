import type { Command } from 'commander'
import type { ReplayResult } from '../runtime/dead-letters/dead-letters.js'
import { choiceOf, deadCommandOf, takingChoice, withDeadLetters, type ChoiceOptions } from './dead-options.js'
import { lettersIn } from './dead.js'
import { conclude, done, failed, type Outcome } from './worker-set.js'

interface ReplayOptions extends ChoiceOptions {
  readonly dryRun?: boolean
  readonly force?: boolean
  readonly to?: string
}

/** Refused letters that are named; the others are counted. */
const MOST_NAMED = 10

/** `errand replay` */
export const replayCommand = (): Command =>
  takingChoice(deadCommandOf('replay'))
    .description('send dead letters to their queues again, as a first attempt')
    .option('--to <queue>', 'to this queue instead of the one they came from')
    .option('--force', 'also those that a worker would refuse again')
    .option('--dry-run', 'only say how many')
    .action(async (ids: string[], { dryRun = false, force = false, to, ...options }: ReplayOptions, command: Command) => {
      const choice = choiceOf(command, ids, options)
      const result = await withDeadLetters(options, (letters) => letters.replay(choice, { dryRun, force, to }))
      for (const outcome of outcomesOf(result, dryRun)) conclude(outcome)
    })

function outcomesOf({ replayed, renewed, refused }: ReplayResult, dryRun: boolean): Outcome[] {
  const said = dryRun ? `${lettersIn(replayed)} would be replayed.` : `Replayed ${lettersIn(replayed)}.`
  const expired = renewed === 0 ? '' : ` ${renewed} of them had expired and may now wait as long as a new call.`
  if (refused.length === 0) return [done(said + expired)]
  const named = refused.slice(0, MOST_NAMED).map(({ id, code }) => `  ${JSON.stringify(id).slice(1, -1)}  ${code}`)
  const others = refused.length > MOST_NAMED ? [`  and ${refused.length - MOST_NAMED} more`] : []
  const stays = `${lettersIn(refused.length)} ${refused.length === 1 ? 'stays' : 'stay'} dead, because a worker would refuse the message again:`
  const advice = '`errand dead show <id>` says why; --force sends them all the same.'
  return [...(replayed === 0 ? [] : [done(said + expired)]), failed([stays, ...named, ...others, advice].join('\n'))]
}
