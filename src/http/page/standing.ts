import type { TaskStatus } from '../../runtime/tracking/status.js'
import type { PageTexts } from './texts/page-texts.js'

/** How a process stands, as scripts and other programs are told. */
export interface Standing {
  readonly process_id: string
  readonly state: TaskStatus['state']
  /** Percent; `true` for done; `false` where the task has not said any; `ERROR` where it failed, was cancelled or is not known. */
  readonly progress: number | boolean | 'ERROR'
  /** In the language of the request. */
  readonly progress_message: string
  readonly completed: boolean | 'ERROR'
  /** What the task says of itself. */
  readonly message?: string | undefined
}

/** Longer messages are cut. */
const LONGEST_MESSAGE = 500

export function standingOf(status: TaskStatus, texts: PageTexts, locale: string): Standing {
  const { id, state } = status
  if (state === 'unknown') return unknownStanding(id, texts)
  const known = { process_id: id, state, progress_message: progressText(status, texts, locale) }
  if (state === 'failed' || state === 'cancelled') return { ...known, progress: 'ERROR', completed: 'ERROR' }
  const percent = percentOf(status)
  const message = messageOf(status)
  const told = { ...known, ...(message === undefined ? {} : { message }) }
  // a task that says 100 may still have things to do
  if (state === 'completed') return { ...told, progress: percent === undefined ? true : 100, completed: true }
  return { ...told, progress: percent ?? false, completed: false }
}

export const unknownStanding = (id: string, texts: PageTexts): Standing => ({
  process_id: id,
  state: 'unknown',
  progress: 'ERROR',
  progress_message: texts.unknownTitle,
  completed: 'ERROR',
})

/** Percent, where the task has said any. */
export function percentOf({ progress }: TaskStatus): number | undefined {
  return typeof progress.value === 'number' && progress.value >= 0 ? progress.value : undefined
}

/** What the task says of itself: the `message` of its progress, or in the data of that. */
export function messageOf({ progress }: TaskStatus): string | undefined {
  const message = textAt(progress, 'message') ?? textAt(progress.data, 'message')
  return message?.slice(0, LONGEST_MESSAGE)
}

function textAt(holder: unknown, name: string): string | undefined {
  const text: unknown = typeof holder === 'object' && holder !== null ? Reflect.get(holder, name) : undefined
  return typeof text === 'string' && text !== '' ? text : undefined
}

/** How the task stands in one text. */
export function progressText(status: TaskStatus, texts: PageTexts, locale: string): string {
  switch (status.state) {
    case 'completed':
      return texts.completedTitle
    case 'failed':
      return texts.failedTitle
    case 'cancelled':
      return texts.cancelledTitle
    case 'retrying':
      return texts.retrying
    case 'scheduled':
    case 'queued':
    case 'unknown':
      return texts.waiting
    case 'running':
      break
  }
  const percent = percentOf(status)
  return percent === undefined ? texts.working : texts.percentage.replace('{percent}', () => numberText(percent, locale))
}

function numberText(value: number, locale: string): string {
  return new Intl.NumberFormat(localeOr(locale), { maximumFractionDigits: 1 }).format(value)
}

/** A language of the application's own may be called as no language is. */
function localeOr(locale: string): string {
  try {
    return Intl.getCanonicalLocales(locale)[0] ?? 'en'
  } catch {
    return 'en'
  }
}
