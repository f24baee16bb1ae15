import { writeFileSync } from 'node:fs'
import { createInterface } from 'node:readline/promises'
import { Command } from 'commander'
import type { DeadLetter, DeadLetterWithBody } from '../runtime/dead-letters/letter.js'
import type { ConfigOptions } from './config-options.js'
import {
  choiceOf,
  countOf,
  deadCommandOf,
  filterOf,
  refuse,
  takingChoice,
  takingFilters,
  withDeadLetters,
  type ChoiceOptions,
  type FilterOptions,
} from './dead-options.js'
import { pageOf, tableOf } from './dead-text.js'
import { conclude, done, failed } from './worker-set.js'

/** `errand dead` */
export const deadCommand = (): Command =>
  new Command('dead')
    .description('list, show and discard the messages that nothing will run any more')
    .addCommand(listCommand(), { isDefault: true })
    .addCommand(showCommand())
    .addCommand(discardCommand())
    .addHelpText('after', '\n`errand dead list --help` tells how to choose among them, `errand replay` sends them again.')

interface ListOptions extends FilterOptions {
  readonly limit: string
  readonly after?: string
  readonly read: string
  readonly json?: boolean
}

const listCommand = (): Command =>
  takingFilters(deadCommandOf('list'))
    .description('list them, the latest death first (this is what `errand dead` does)')
    .option('--limit <n>', 'so many at most', '20')
    .option('--after <id>', 'go on behind this one')
    .option('--read <n>', 'look at so many of each queue at most, those that came to it first', '10000')
    .option('--json', 'as JSON')
    .allowExcessArguments()
    .action(async ({ limit: most, after, read: mostRead, json = false, ...options }: ListOptions, command: Command) => {
      const [word] = command.args
      if (word !== undefined) refuse(command, `there is no command "${word}". About one letter: errand dead show <id>`)
      const limit = countOf(command, '--limit', most)
      const read = countOf(command, '--read', mostRead)
      // beside the list, which may be JSON
      const onUnread = (queue: string): void => console.error(unreadText(queue, read))
      // one more, to know whether that is all
      const asked = { ...filterOf(command, options), limit: limit + 1, after, read, onUnread }
      const found = await withDeadLetters(options, (letters) => letters.list(asked))
      const shown = found.slice(0, limit)
      if (json) console.log(JSON.stringify(shown, null, 2))
      else console.log(listText(shown, found.length > limit))
    })

function listText(letters: readonly DeadLetter[], hasMore: boolean): string {
  const last = letters.at(-1)
  if (last === undefined) return 'No dead letters.'
  const more = `More of them: errand dead --after ${last.id}`
  const hint = '`errand dead show <id>` tells all about one, `errand replay <id>` resends it.'
  return [tableOf(letters, Date.now(), process.stdout.columns), '', ...(hasMore ? [more] : []), hint].join('\n')
}

const unreadText = (queue: string, read: number): string =>
  `"${queue}" has more dead letters: only the ${read} that came to it first were looked at. With --read ${10 * read} it is more of them.`

interface ShowOptions extends ConfigOptions {
  readonly arguments?: boolean
  readonly json?: boolean
  readonly raw?: string
}

const showCommand = (): Command =>
  deadCommandOf('show')
    .description('tell all that is known of one')
    .argument('<id>', 'its id, as `errand dead` lists it')
    .option('--arguments', 'also the values of the arguments, which may be private')
    .option('--json', 'as JSON')
    .option('--raw <file>', 'write the message to this file, as it was sent')
    .action(async (id: string, { arguments: withValues = false, json = false, raw, ...options }: ShowOptions) => {
      await withDeadLetters(options, async (letters) => {
        const letter = await letters.get(id)
        const values = withValues ? letters.argumentsIn(letter.body) : undefined
        if (raw !== undefined) writeFileSync(raw, letter.body, { mode: 0o600 })
        console.log(json ? jsonOf(letter, values) : pageOf(letter, Date.now(), values))
        if (raw !== undefined) console.error(`Wrote the message to ${raw}.`)
      })
    })

function jsonOf({ body: _body, ...letter }: DeadLetterWithBody, values: readonly unknown[] | undefined): string {
  return JSON.stringify(values === undefined ? letter : { ...letter, arguments: values }, null, 2)
}

interface DiscardOptions extends ChoiceOptions {
  readonly yes?: boolean
  readonly dryRun?: boolean
}

const discardCommand = (): Command =>
  takingChoice(deadCommandOf('discard'))
    .description('remove them for good')
    .option('--yes', 'without asking')
    .option('--dry-run', 'only say how many')
    .action(async (ids: string[], { yes = false, dryRun = false, ...options }: DiscardOptions, command: Command) => {
      const choice = choiceOf(command, ids, options)
      await withDeadLetters(options, async (letters) => {
        // asked first, so that nobody is asked about nothing
        if (dryRun || !yes) {
          const { discarded: count } = await letters.discard(choice, { dryRun: true })
          if (dryRun || count === 0) return conclude(done(`${lettersIn(count)} would be discarded.`))
          if (!(await isConfirmed(command, count))) return conclude(failed('Nothing was discarded.'))
        }
        const { discarded } = await letters.discard(choice)
        conclude(done(`Discarded ${lettersIn(discarded)}.`))
      })
    })

async function isConfirmed(command: Command, count: number): Promise<boolean> {
  if (!process.stdin.isTTY) return refuse(command, `this would discard ${lettersIn(count)} for good; add --yes where nobody can be asked.`)
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  const answer = await terminal.question(`Discard ${lettersIn(count)} for good? [y/N] `)
  terminal.close()
  return /^y(?:es)?$/i.test(answer.trim())
}

/** So many dead letters, in words. */
export const lettersIn = (count: number): string => (count === 1 ? '1 dead letter' : `${count} dead letters`)
