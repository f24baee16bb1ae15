// What the compiler must say of tasks that follow others. Compiled by types.test.ts; never run.
import { all, asyncTask, background, chain, enqueue } from 'errand'
import type { AllHandle, ChainHandle, SendOptions, TaskHandle } from 'errand'

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const is = <T extends true>(): T | undefined => undefined

class Shop {
  @asyncTask({ result: true })
  async price(of: string): Promise<number> {
    return of.length
  }

  @asyncTask({ result: true })
  async label(price: number): Promise<string> {
    return String(price)
  }

  @asyncTask({ result: true })
  async sum(prices: readonly number[]): Promise<number> {
    return prices.length
  }

  @asyncTask()
  async tell(what: Error | string): Promise<void> {
    void what
  }
}

const shop = new Shop()

// what follows gets what the call answers
const first = enqueue(() => shop.price('a'), { then: (price) => shop.label(price), onFailed: (error) => shop.tell(error) })
is<Equal<typeof first, Promise<TaskHandle<number>>>>()
void background(shop, { then: (price: number) => shop.label(price) }).price('a')
void enqueue(() => shop.price('a'), { then: (price) => enqueue(() => shop.label(price), { delay: '1h' }) })
// options that were made for no call in particular fit each
const options: SendOptions = { delay: '1h', onFailed: (error) => shop.tell(error) }
void enqueue(() => shop.price('a'), options)
void background(shop, options).price('a')
// @ts-expect-error a price is no text
void enqueue(() => shop.price('a'), { then: (price) => shop.tell(price) })

// each step of a chain gets what the one before answers, and its handle is that of the last
const chained = chain(() => shop.price('a'), (price) => enqueue(() => shop.label(price), { priority: 1 }), (label) => shop.price(label), (price) => shop.label(price))
is<Equal<typeof chained, Promise<ChainHandle<string>>>>()
// @ts-expect-error a label is no price
void chain(() => shop.price('a'), (price) => shop.label(price), (label) => shop.label(label))

// what follows a group gets the results of its members
const grouped = all([() => shop.price('a'), () => shop.label(1), () => shop.tell('b')], (results) => {
  is<Equal<typeof results, [number, string, void]>>()
  return shop.label(results[0])
})
is<Equal<typeof grouped, Promise<AllHandle<string, [number, string, void]>>>>()
const list: (() => Promise<number>)[] = [() => shop.price('a')]
void all(list, (prices) => shop.sum(prices))
// @ts-expect-error a label is no price
void all([() => shop.label(1)], (prices) => shop.sum(prices))
