import { asyncTask, context, currentTask, isAsyncTask } from 'errand'

/** Services that the tests of calls and runs share. */
export class ShopOrder {
  constructor(
    readonly id: number,
    readonly total: bigint,
  ) {}

  label(): string {
    return `order ${this.id} of ${this.total}`
  }
}

export class ShopService {
  readonly seen: unknown[] = []

  @asyncTask
  async bare(value: unknown): Promise<void> {
    this.note(value)
  }

  @asyncTask()
  async place(order: ShopOrder): Promise<void> {
    this.note(order)
  }

  @asyncTask({ result: true })
  async label(order: ShopOrder): Promise<string> {
    return `${order.label()} for ${String(context().user?.['name'])}`
  }

  @asyncTask({ result: true })
  async fail(): Promise<string> {
    throw Object.assign(new RangeError('no stock'), { code: 'NO_STOCK', cause: new TypeError('inner') })
  }

  @asyncTask({ result: true })
  async failWithSocket(): Promise<string> {
    throw Object.assign(new TypeError('connection lost'), { code: 'ECONNLOST', socket: { destroy: () => {} } })
  }

  @asyncTask({ result: true })
  async answerFunction(): Promise<unknown> {
    return () => {}
  }

  @asyncTask()
  async outer(): Promise<void> {
    await this.bare('from inside')
  }

  @asyncTask({ result: true })
  async describe(): Promise<{ id: string; attempt: number; name: string; inTask: boolean; sameThis: boolean }> {
    const { id, attempt, name } = currentTask()
    return { id, attempt, name, inTask: isAsyncTask(), sameThis: this === shop }
  }

  @asyncTask({ result: true })
  static async version(): Promise<string> {
    return this.name
  }

  async plain(): Promise<void> {}

  private note(value: unknown): void {
    this.seen.push({ value, user: context().user, attempt: currentTask().attempt })
  }
}
export const shop = new ShopService()

export const add = asyncTask(async function add(a: number, b: number): Promise<number> {
  return a + b
}, { result: true })
