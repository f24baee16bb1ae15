/** The texts of the pages in one language. `{percent}` stands for a number. */
export interface PageTexts {
  readonly initialTitle: string
  readonly initialText: string
  readonly start: string
  readonly processingTitle: string
  readonly processingText: string
  /** Before the task has begun. */
  readonly waiting: string
  /** While it runs and has not said how far it is. */
  readonly working: string
  /** While it waits to be tried again. */
  readonly retrying: string
  readonly percentage: string
  /** The name of the progress bar. */
  readonly progressLabel: string
  readonly withoutScript: string
  readonly connectionLost: string
  /** Nobody watches any more, because it took so long. */
  readonly stillRunning: string
  readonly cancel: string
  readonly completedTitle: string
  readonly completedText: string
  readonly showResult: string
  readonly failedTitle: string
  readonly failedText: string
  readonly cancelledTitle: string
  readonly cancelledText: string
  readonly unknownTitle: string
  readonly unknownText: string
  readonly unavailableTitle: string
  readonly unavailableText: string
  readonly refusedTitle: string
  readonly refusedText: string
  readonly busyTitle: string
  readonly busyText: string
  readonly startAgain: string
  readonly back: string
}
