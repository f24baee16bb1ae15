import { assert } from 'chai'
import { ErrandError } from 'errand'

/** The error of this library that `promise` rejects with. */
export async function rejection(promise: Promise<unknown>): Promise<ErrandError> {
  return promise.then(
    () => assert.fail('it did not reject'),
    (error: unknown) => (error instanceof ErrandError ? error : assert.fail(`it rejected with ${String(error)}`)),
  )
}
