import { asyncTask, context, currentTask, ErrandError } from 'errand'

export class Report {
  constructor(
    readonly year: number,
    readonly lines: Map<string, Date>,
  ) {}
}

/** A service whose tasks are composed, and what they saw. */
export class Office {
  readonly seen: { readonly task: string; readonly given: unknown; readonly user: unknown; readonly attempt: number }[] = []
  /** How often `report` fails before it does not. */
  failures = 0

  @asyncTask({ result: true, params: () => [] })
  async report(year: number): Promise<Report> {
    this.#note('report', year)
    if (this.failures-- > 0) throw Object.assign(new RangeError(`no report of ${year}`), { code: 'NO_REPORT' })
    return new Report(year, new Map([['first', new Date(0)]]))
  }

  @asyncTask({ result: true, params: () => [Report, Object] })
  async send(report: Report, to: { readonly name: string }): Promise<string> {
    this.#note('send', report)
    if (!(report instanceof Report)) throw new ErrandError('CALL_INVALID', 'The report lost its class.')
    return `${report.year} to ${to.name}`
  }

  @asyncTask()
  async tell(what: unknown): Promise<void> {
    this.#note('tell', what)
  }

  @asyncTask({ result: true })
  async double(count: number): Promise<number> {
    this.#note('double', count)
    return count * 2
  }

  @asyncTask({ result: true })
  async sum(counts: readonly number[]): Promise<number> {
    this.#note('sum', counts)
    return counts.reduce((total, count) => total + count, 0)
  }

  @asyncTask({ result: true })
  async refuse(why: string): Promise<number> {
    this.#note('refuse', why)
    throw new TypeError(why)
  }

  @asyncTask({ result: true })
  async echo<T>(value: T): Promise<T> {
    this.#note('echo', value)
    return value
  }

  @asyncTask({ result: true, resultOnce: true })
  async once(): Promise<number> {
    return 1
  }

  @asyncTask({ result: true, keep: '1ms' })
  async brief(): Promise<number> {
    return 1
  }

  @asyncTask({ track: false })
  async untracked(): Promise<void> {}

  @asyncTask({ result: true })
  async large(): Promise<string> {
    this.#note('large', undefined)
    // an outcome of that size is just below the limit
    return 'x'.repeat(1_048_576 - 250)
  }

  tasks(): readonly string[] {
    return this.seen.map(({ task }) => task)
  }

  #note(task: string, given: unknown): void {
    this.seen.push({ task, given, user: context().user, attempt: currentTask().attempt })
  }
}

export const office = new Office()
