// What the compiler must say of @asyncTask, in both decorator dialects. Compiled by types.test.ts; never run.
import { asyncTask } from 'errand'

class Order {
  id = ''
}

export class Accepted {
  @asyncTask
  async bare(): Promise<void> {}

  @asyncTask()
  async called(order: Order, count?: number, ...rest: string[]): Promise<void> {
    void [order, count, rest]
  }

  @asyncTask({
    name: 'Old.name',
    aliases: ['Older'],
    retries: 5,
    delay: '10m',
    backoff: 2,
    queue: 'slow',
    priority: 9,
    params: () => [Order],
    noRetryOn: [RangeError, 'EACCES'],
    concurrency: 2,
    rate: '4/m',
    limitBy: (tenant: string) => tenant,
  })
  async withOptions(tenant: string): Promise<void> {
    void tenant
  }

  @asyncTask({ result: true })
  async withValue(year: number): Promise<Order[]> {
    void year
    return []
  }

  @asyncTask({ result: true, resultTimeout: '5m' })
  async valueOrNothing(): Promise<string | undefined> {
    return undefined
  }

  @asyncTask()
  static async ofTheClass(): Promise<void> {}

  @asyncTask()
  protected async forSubclasses(): Promise<void> {}

  @asyncTask()
  async generic<T>(value: T): Promise<void> {
    void value
  }

  @asyncTask
  async bareGeneric<T extends Order>(value: T, ...rest: readonly T[]): Promise<void> {
    void [value, rest]
  }

  @asyncTask({ result: true })
  async genericValue<T>(value: T): Promise<T> {
    return value
  }

  @asyncTask({ result: true, retries: 1 })
  async genericRest<T, R extends unknown[]>(value: T, ...rest: R): Promise<[T, ...R]> {
    return [value, ...rest]
  }

  static async overloaded(of: string): Promise<string>
  static async overloaded(of: number): Promise<number>
  @asyncTask({ result: true })
  static async overloaded(of: string | number): Promise<string | number> {
    return of
  }

  @asyncTask()
  async withThis(this: Accepted): Promise<void> {}

  @asyncTask({ result: true })
  async self(): Promise<this> {
    return this
  }

  @asyncTask()
  async nothing(): Promise<undefined> {}
}

// a generic method stays generic
export const text: Promise<string> = new Accepted().genericValue('text')

export class Refused {
  // @ts-expect-error the value would be lost: { result: true } is missing
  @asyncTask()
  async value(): Promise<string> {
    return ''
  }

  // @ts-expect-error the same without parentheses
  @asyncTask
  async bareValue(): Promise<string> {
    return ''
  }

  // @ts-expect-error the same with other options
  @asyncTask({ retries: 1 })
  async valueWithOptions(): Promise<number> {
    return 1
  }

  // @ts-expect-error the same said aloud
  @asyncTask({ result: false })
  async valueRefused(): Promise<number> {
    return 1
  }

  // @ts-expect-error a method that answers nothing cannot say that its call was not stored
  @asyncTask()
  synchronous(): void {}

  // @ts-expect-error with a value neither
  @asyncTask({ result: true })
  synchronousValue(): string {
    return ''
  }

  // @ts-expect-error a getter is not called
  @asyncTask()
  get getter(): Promise<void> {
    return Promise.resolve()
  }

  // @ts-expect-error a property belongs to an instance
  @asyncTask()
  property = async (): Promise<void> => {}

  // @ts-expect-error misspelt
  @asyncTask({ retrys: 5 })
  async misspelt(): Promise<void> {}

  // @ts-expect-error no unit of time
  @asyncTask({ rate: '4/year' })
  async wrongRate(): Promise<void> {}

  // @ts-expect-error the answer is no text
  @asyncTask({ concurrency: 1, limitBy: (id: number) => id })
  async wrongKey(id: number): Promise<void> {
    void id
  }

  // @ts-expect-error a generic value would be lost too
  @asyncTask()
  async genericValue<T>(value: T): Promise<T> {
    return value
  }

  // @ts-expect-error of the wrong kind
  @asyncTask({ retries: '5' })
  async wrongKind(): Promise<void> {}
}

// @ts-expect-error a class is not a task
@asyncTask()
export class Whole {}

// the parameters of a function's limitBy are those of the function
export const limited = asyncTask(async function limited(tenant: string, size: number): Promise<void> {
  void [tenant, size]
}, { concurrency: 1, limitBy: (tenant) => tenant.trim() })

export const misfit = asyncTask(async function misfit(tenant: string): Promise<void> {
  void tenant
  // @ts-expect-error the function takes a text
}, { concurrency: 1, limitBy: (tenant: number) => String(tenant) })
