import { assert } from 'chai'
import { asyncTask, ErrandError } from 'errand'
import { registry } from '#src/core/registry.js'
import { retryDelay } from '#src/core/retry-policy.js'
import { toMs } from '#src/core/duration.js'
import { adoptExports } from '#src/runtime/adopt-exports.js'
import { instanceFor, setInstanceResolver } from '#src/runtime/instances.js'

describe('the name of a task', () => {
  it('is its class and method, or the name of its function', () => {
    class Letters {
      @asyncTask()
      async write(): Promise<void> {}
    }
    assert.equal(registry.adopt(new Letters())[0]?.name, 'Letters.write')

    const fold = asyncTask(async function fold(): Promise<void> {})
    assert.equal(registry.adopt(fold)[0]?.name, 'fold')
  })

  it('is the given one, and former names are found too', () => {
    class Renamed {
      @asyncTask({ name: 'letters.seal', aliases: ['Letters.oldSeal'] })
      async seal(): Promise<void> {}
    }
    registry.adopt(Renamed)

    assert.equal(registry.find('letters.seal')?.owner, Renamed)
    assert.equal(registry.find('Letters.oldSeal'), registry.find('letters.seal'))
  })

  it('belongs to the class of the object, so a subclass has tasks of its own', () => {
    class Base {
      @asyncTask()
      async go(): Promise<void> {}
    }
    class Special extends Base {}

    assert.deepEqual(registry.adopt(new Special()).map((task) => task.name), ['Special.go'])
    assert.equal(registry.find('Base.go')?.owner, Base)
  })

  it('does not exist for a method that a subclass overrides without the decorator', () => {
    class Parent {
      @asyncTask()
      async act(): Promise<void> {}
    }
    class Child extends Parent {
      override async act(): Promise<void> {}
    }

    assert.isFalse(registry.isTaskMember(new Child(), 'act'))
    assert.isTrue(registry.isTaskMember(new Parent(), 'act'))
  })

  it('is refused when another task has it', () => {
    asyncTask(async function twice(): Promise<void> {})

    assert.throws(() => asyncTask(async function twice(): Promise<void> {}), ErrandError, /Two tasks are called "twice"/)
  })

  it('is refused when there is none', () => {
    assert.throws(() => asyncTask(async (): Promise<void> => {}), ErrandError, /no stable name/)
  })

  it('is known with the module it stands in', () => {
    assert.include(registry.modules(), import.meta.url)
  })
})

describe('@asyncTask', () => {
  it('keeps name, length and the metadata of other decorators', () => {
    class Routes {
      @asyncTask()
      @mark('route', '/go')
      async go(_a: string, _b: string): Promise<void> {}
    }
    const method = Routes.prototype.go

    assert.equal(method.name, 'go')
    assert.equal(method.length, 2)
    assert.equal(Reflect.getMetadata('route', method), '/go')
  })

  it('refuses what a worker cannot reach, naming class and member', () => {
    const secret = Symbol('secret')
    assert.throws(() => {
      class Hidden {
        @asyncTask()
        async [secret](): Promise<void> {}
      }
      return Hidden
    }, /on Hidden\.Symbol\(secret\): a worker cannot reach/)
  })

  it('refuses accessors and properties', () => {
    const decorate = asyncTask() as (target: object, key: string, descriptor?: PropertyDescriptor) => void
    class Fields {}

    assert.throws(() => decorate(Fields.prototype, 'field'), /on Fields\.field: only a method can be a task/)
    assert.throws(() => decorate(Fields.prototype, 'getter', { get: () => 1 }), ErrandError, /only a method/)
  })

  it('refuses bad options where they are written', () => {
    // @ts-expect-error -- misspelt on purpose
    assert.throws(() => asyncTask({ retrys: 1 }), ErrandError, '@asyncTask has no option "retrys". Did you mean "retries"?')
    assert.throws(() => asyncTask({ retries: -1 }), ErrandError, /retries must be a whole number/)
    assert.throws(() => asyncTask({ name: 'two words' }), ErrandError, /name must be/)
    assert.throws(() => asyncTask({ delay: Number.NaN }), ErrandError, /delay must be seconds/)
  })

  it('shares nothing between two uses of one decorator', () => {
    const decorator = asyncTask({ retries: 2 })
    class One {
      @decorator
      async a(): Promise<void> {}
      @decorator
      async b(): Promise<void> {}
    }
    assert.deepEqual(registry.adopt(One).map((task) => task.name), ['One.a', 'One.b'])
  })
})

describe('the object a body runs on', () => {
  afterEach(() => setInstanceResolver(undefined))

  class Plain {
    @asyncTask()
    async go(): Promise<void> {}
  }
  class Needy {
    constructor(readonly url: string) {}
    @asyncTask()
    async go(): Promise<void> {}
  }

  it('is a new one when the constructor takes nothing, and stays the same', () => {
    const task = taskOf(Plain)

    assert.instanceOf(instanceFor(task), Plain)
    assert.equal(instanceFor(task), instanceFor(task))
  })

  it('is the exported instance, also one inside an exported plain object', () => {
    const needy = new Needy('https://example.org')
    adoptExports('services.js', { default: { needy } })

    assert.equal(instanceFor(taskOf(Needy)), needy)
  })

  it('is what the container has, first of all', async () => {
    const ours = new Plain()
    setInstanceResolver(async (owner) => (owner === Plain ? ours : undefined))

    assert.equal(await instanceFor(taskOf(Plain)), ours)
  })

  it('is refused when nothing can be known about it', () => {
    class Lonely extends Needy {}
    assert.throws(() => instanceFor(taskOf(Lonely)), ErrandError, /constructor of Lonely takes 1 argument/)

    class Pair extends Plain {}
    adoptExports('pair.js', { one: new Pair(), two: new Pair() })
    assert.throws(() => instanceFor(taskOf(Pair)), ErrandError, /two exported instances \(pair\.js "one", pair\.js "two"\)/)
  })
})

describe('the wait before a retry', () => {
  const rule = { retries: 3, backoffMs: 100, retryIf: undefined }
  const failure = (failures: number) => ({ failures, error: new ErrandError('TASK_FAILED', 'x'), defaultRetries: 0 })

  it('doubles its ceiling with each attempt and ends after the given number', () => {
    assert.deepEqual([1, 2, 3, 4].map((failures) => retryDelay(rule, failure(failures), () => 1)), [100, 200, 400, undefined])
  })

  it('lies anywhere between nothing and the ceiling, and never above an hour', () => {
    assert.equal(retryDelay(rule, failure(2), () => 0), 0)
    assert.equal(retryDelay({ ...rule, retries: 99 }, failure(60), () => 1), 3_600_000)
  })

  it('is not there for an error that retryIf declines, nor by default', () => {
    assert.isUndefined(retryDelay({ ...rule, retryIf: () => false }, failure(1)))
    assert.isUndefined(retryDelay({ ...rule, retries: undefined }, failure(1)))
  })
})

describe('a length of time', () => {
  it('is a number of seconds or a text with a unit', () => {
    assert.deepEqual([2, 0.5, '5ms', '1.5s', '2m', '3h', '1d', '1w'].map((given) => toMs(given, 'x')), [
      2000, 500, 5, 1500, 120_000, 10_800_000, 86_400_000, 604_800_000,
    ])
  })

  it('is refused when it is anything else', () => {
    for (const given of ['', '5', 'soon', -1, Number.NaN, Infinity, '9000d', null, {}]) {
      assert.throws(() => toMs(given as string, 'delay'), ErrandError, /delay must be seconds from 0 up/)
    }
  })
})

function mark(key: string, value: string): MethodDecorator {
  return (_target, _key, descriptor) => {
    if (descriptor.value !== undefined) Reflect.defineMetadata(key, value, descriptor.value as object)
  }
}

function taskOf(owner: abstract new (...args: never[]) => object) {
  const [task] = registry.adopt(owner)
  assert.isDefined(task)
  return task
}
