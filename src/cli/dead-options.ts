import { Command } from 'commander'
import { toMs } from '../core/duration.js'
import { deadLettersOf } from '../dead-letters.js'
import { ErrandError } from '../errors.js'
import type { DeadLetterChoice } from '../runtime/dead-letters/dead-letters.js'
import type { DeadLetterFilter } from '../runtime/dead-letters/filter.js'
import { configOf, takingConfig, type ConfigOptions } from './config-options.js'

/** Options of every command that chooses among dead letters. */
export interface FilterOptions extends ConfigOptions {
  readonly queue?: string
  readonly task?: string
  readonly code?: string
  readonly user?: string
  readonly since?: string
  readonly until?: string
}

/** Options of a command that does something to those it is told. */
export interface ChoiceOptions extends FilterOptions {
  readonly all?: boolean
}

/** A command on dead letters: wrong use of it ends with the exit code 2, a failure with 1. */
export const deadCommandOf = (name: string): Command =>
  takingConfig(new Command(name))
    .showHelpAfterError('(--help tells what there is)')
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : WRONG_USE))

const WRONG_USE = 2

/** Adds the filters. */
export const takingFilters = (command: Command): Command =>
  command
    .option('--queue <name>', 'only those of this queue')
    .option('--task <name>', 'only those of this task')
    .option('--code <code>', 'only those with this code of a reason, such as TASK_FAILED')
    .option('--user <id>', 'only those of this user')
    .option('--since <time>', 'only those that died since then: 30m, 2h, 7d ago, or a date')
    .option('--until <time>', 'only those that died before then')

/** Adds ids, `--all` and the filters. */
export const takingChoice = (command: Command): Command =>
  takingFilters(command.argument('[ids...]', 'ids, as `errand dead` lists them')).option('--all', 'all there are')

/** The filter that the options make. */
export function filterOf(command: Command, { queue, task, code, user, since, until }: FilterOptions): DeadLetterFilter {
  return { queue, task, code, user, since: momentOf(command, '--since', since), until: momentOf(command, '--until', until) }
}

/** What was chosen. Exactly one way of choosing must be used, so that nobody empties a queue by leaving something out. */
export function choiceOf(command: Command, ids: readonly string[], options: ChoiceOptions): DeadLetterChoice {
  const filter = filterOf(command, options)
  const isFiltered = Object.values(filter).some((value) => value !== undefined)
  const ways = [ids.length > 0, isFiltered, options.all === true].filter(Boolean).length
  if (ways === 0) return refuse(command, 'name ids, give a filter such as --task, or say --all.')
  if (ways > 1) return refuse(command, 'give ids, or filters, or --all, and not two of these.')
  return ids.length > 0 ? ids : filter
}

/** Ends the process as after wrong use. */
export const refuse = (command: Command, what: string): never => command.error(`error: ${what}`, { exitCode: WRONG_USE })

/** Opens the dead letters that the options name, for as long as `work` takes. */
export async function withDeadLetters<T>(
  options: ConfigOptions,
  work: (letters: Awaited<ReturnType<typeof deadLettersOf>>) => Promise<T>,
): Promise<T> {
  await using letters = await deadLettersOf(await configOf(options))
  return await work(letters)
}

/** A whole number from 1 up. */
export function countOf(command: Command, option: string, text: string): number {
  const count = Number(text)
  return Number.isSafeInteger(count) && count > 0 ? count : refuse(command, `${option} must be a whole number from 1 up.`)
}

/** A moment that an option names: so long ago, or a date. */
export function momentOf(command: Command, option: string, text: string | undefined): Date | undefined {
  if (text === undefined) return undefined
  const isDate = /^\d{4}-\d\d-\d\d/.test(text)
  const date = isDate ? new Date(text) : new Date(Date.now() - agoOf(text))
  return Number.isNaN(date.getTime()) ? refuse(command, `${option} takes '30m', '2h', '7d', or a date such as 2026-01-31T12:00Z.`) : date
}

function agoOf(text: string): number {
  try {
    return toMs(text, 'It')
  } catch (error) {
    if (error instanceof ErrandError) return NaN
    throw error
  }
}
