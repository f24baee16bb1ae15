import { callbackTask } from './callback/callback-task.js'

/** Makes the tasks of this library known in this process; safe any number of times. */
export function declareBuiltInTasks(): void {
  callbackTask()
}
