import { assert } from 'chai'
import { asyncTask, background, context, ErrandError, withContext } from 'errand'
import { startTesting, type Testing } from 'errand/testing'
import { adoptExports } from '#src/runtime/adopt-exports.js'
import { registry } from '#src/core/registry.js'

class DepotParcel {
  constructor(readonly weight: bigint) {}
}

class DepotService {
  readonly seen: unknown[] = []

  @asyncTask
  async bare(value: string): Promise<void> {
    this.seen.push([value, context().user])
  }

  @asyncTask({ params: () => [DepotParcel] })
  async store(parcel: DepotParcel): Promise<void> {
    this.seen.push(parcel)
  }

  @asyncTask({ result: true })
  async count(...more: number[]): Promise<number> {
    return this.seen.length + more.length
  }

  @asyncTask({ result: true })
  static async label(): Promise<string> {
    return this.name
  }

  @asyncTask()
  protected async guarded(): Promise<void> {
    this.seen.push('guarded')
  }

  async callGuarded(): Promise<void> {
    await this.guarded()
  }
}

describe('@asyncTask in the standard dialect', () => {
  const depot = new DepotService()
  let testing: Testing

  beforeEach(async () => {
    depot.seen.length = 0
    testing = await startTesting({ instances: [depot] })
  })
  afterEach(() => testing.stop())

  it('sends a call and runs it as its caller, with and without parentheses', async () => {
    await withContext({ user: { id: 3 } }, () => depot.bare('x'))
    await depot.callGuarded()
    await testing.idle()

    assert.deepEqual(depot.seen, [['x', { id: 3 }], 'guarded'])
    assert.deepEqual(testing.calls.map((call) => call.task), ['DepotService.bare', 'DepotService.guarded'])
  })

  it('revives classes that params names, since the compiler emits no metadata', async () => {
    await depot.store(new DepotParcel(12n))
    await testing.idle()

    assert.instanceOf(depot.seen[0], DepotParcel)
    assert.deepEqual(depot.seen[0], new DepotParcel(12n))
  })

  it('refuses an instance of a class that nobody named, and says what to do', async () => {
    class Unnamed {}
    let message = ''
    await depot.bare(new Unnamed() as unknown as string).catch((error: Error) => (message = error.message))

    assert.match(message, /argument 0 is an? (instance of )?Unnamed/)
    assert.match(message, /params: \(\) => \[Unnamed\]/)
  })

  it('answers values, of static methods too', async () => {
    assert.equal(await depot.count(1, 2), 2)
    assert.equal(await DepotService.label(), 'DepotService')
    assert.equal(await (await background(depot).count()).result(), 0)
  })

  it('refuses a #private method', () => {
    assert.throws(() => {
      class Hidden {
        @asyncTask()
        async #secret(): Promise<void> {}
        call = (): Promise<void> => this.#secret()
      }
      return Hidden
    }, ErrandError, /a worker cannot reach/)
  })

  it('makes a task of a class that no module exports known when an instance is made', () => {
    class Inner {
      @asyncTask()
      async work(): Promise<void> {}
    }
    assert.isUndefined(registry.find('Inner.work'))
    const inner = new Inner()

    assert.equal(registry.find('Inner.work')?.owner, inner.constructor)
  })

  it('makes the tasks of an exported class known without an instance', () => {
    class Exported {
      @asyncTask()
      async work(): Promise<void> {}
      @asyncTask()
      static async stat(): Promise<void> {}
    }
    adoptExports('module.js', { Exported })

    assert.equal(registry.find('Exported.work')?.owner, Exported)
    assert.equal(registry.find('Exported.stat')?.declaration.kind, 'static')
  })

  it('is found under another decorator that wraps it once more', async () => {
    class Wrapped {
      runs = 0
      @outerDecorator
      @asyncTask()
      async work(): Promise<void> {
        this.runs += 1
      }
    }
    const wrapped = new Wrapped()
    await testing.stop()
    testing = await startTesting({ instances: [wrapped] })
    await (await background(wrapped).work()).result()

    assert.equal(wrapped.runs, 1)
    assert.equal(testing.calls[0]?.task, 'Wrapped.work')
  })
})

function outerDecorator<This, A extends unknown[]>(method: (this: This, ...args: A) => Promise<void>, _context: ClassMethodDecoratorContext) {
  return function (this: This, ...args: A): Promise<void> {
    return method.apply(this, args)
  }
}
