/**
 * Every code an {@link ErrandError} can carry, with what it means. The list is closed: callers branch on `error.code`,
 * and `docs/errors.md` explains each one at length.
 */
export const ERROR_CODES = {
  OPTION_INVALID: 'an option has a value it cannot have, or a name that does not exist',
  DECORATOR_MISUSED: '@asyncTask stands on something that is not a method a worker can reach',
  TASK_DUPLICATE: 'two tasks of one service have the same name',
  TASK_UNKNOWN: 'no task of that name is known in this process',
  NOT_A_TASK: 'a method or function that was to be sent is not an @asyncTask',
  CALL_INVALID: 'background(), enqueue(), perform() or original() was used in a way that cannot work',
  PLACEHOLDER_READ: 'what stands for the result of a task that has not run yet was looked into',
  OUTSIDE_REQUEST: 'a task was called outside any request and the configuration forbids that',
  NOT_IN_TASK: 'something that exists only while a task runs was used elsewhere',
  VALUE_UNSERIALIZABLE: 'a value cannot be carried in a message unchanged',
  VALUE_UNREADABLE: 'a value in a message is not what this version writes',
  PAYLOAD_TOO_LARGE: 'a message, or what is kept of a task, would exceed its limit',
  CONFIG_INVALID: 'the configuration file cannot be used as it stands',
  CONFIG_NOT_FOUND: 'the configuration file that was named does not exist',
  PACKAGE_MISSING: 'an optional package is needed and not installed',
  DRIVER_UNSUPPORTED: 'a driver or its version cannot be used safely here',
  BROKER_UNREACHABLE: 'the broker did not answer in time',
  BROKER_REFUSED: 'the broker answered and refused: credentials, virtual host or permissions',
  BROKER_CLOSED: 'the broker connection of this process was closed',
  PUBLISH_TIMEOUT: 'the broker did not confirm a message in time, or the disk failed to take it; whether it has it is unknown',
  PUBLISH_UNROUTABLE: 'the broker has no queue for the message',
  STORE_UNREACHABLE: 'the store of task states did not answer in time',
  STORE_REFUSED: 'the store of task states answered and refused: credentials, permissions, or no room left',
  STORE_CLOSED: 'the connection of this process to the store was closed',
  TRANSACTION_INVALID: 'a call cannot be sent within the transaction that was given',
  TRANSACTION_ABORTED: 'the transaction of a task could not be committed because a statement in it had failed',
  DATABASE_REFUSED: 'the database of the application answered and refused: credentials or permissions',
  QUEUE_FULL: 'the queue, or the buffer in front of it, is full',
  MESSAGE_MALFORMED: 'a message is not in the form this library writes',
  MESSAGE_TOO_NEW: 'a message was written by a newer version of this library',
  MESSAGE_FORGED: 'the seal of a message does not match its content or its key is unknown',
  MESSAGE_MISDIRECTED: 'a message was sealed for another service or environment',
  MESSAGE_EXPIRED: 'a message is older than it may be',
  KEY_MISSING: 'no sealing key is configured where one is required',
  KEY_INVALID: 'a sealing key or key file cannot be used',
  CONTEXT_UNRESTORABLE: 'the context of the caller cannot be re-created in the worker',
  CONTEXT_DIFFERS: 'a test found that a task does not see the context of its caller',
  TOKEN_EXPIRED: 'the token of the caller had expired when the task began',
  SERVICE_LOAD_FAILED: 'a service module could not be loaded in the worker',
  INSTANCE_UNAVAILABLE: 'no instance of the class of a task can be found or made in the worker',
  WORKER_CRASH_LOOP: 'the worker keeps dying soon after its start and is not started again',
  RESULT_TIMEOUT: 'the result of a task did not arrive in time; the task may still run',
  RESULT_UNAVAILABLE: 'a task completed, and its result was not kept',
  RESPONSE_INVALID: 'a task of a waiting page answered what cannot be sent as a response',
  TASK_NOT_FOUND: 'nothing is known of a task, or nothing any more',
  TASK_CANCELLED: 'a task was cancelled before it ended',
  DEAD_LETTER_UNKNOWN: 'no dead letter has the id that was given',
  STEP_FAILED: 'a task was not run because the one before it did not complete',
  TASK_TIMEOUT: 'a run of a task took longer than its time limit',
  CALLBACK_REFUSED: 'the URL that was given to be called at the end of an order may not be called',
  CALLBACK_FAILED: 'the receiver of a callback did not accept it',
  CALLBACK_FORGED: 'a callback was not signed with the secret that its receiver knows, or is too old',
  TASK_FAILED: 'a task ended without success for a reason that is not an error of its body',
} as const

/** A code of {@link ERROR_CODES}. */
export type ErrorCode = keyof typeof ERROR_CODES

/**
 * The one error class of this library. `code` says what kind of failure it is and stays stable between versions; the
 * message says what failed, why, and what to do. Argument values, tokens and other secrets never appear in it.
 *
 * @example
 * try { await mail.sendWelcome(user) } catch (error) {
 *   if (error instanceof ErrandError && error.code === 'BROKER_UNREACHABLE') …
 * }
 */
export class ErrandError extends Error {
  /** What kind of failure this is; one of {@link ERROR_CODES}. */
  readonly code: ErrorCode

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }

  override get name(): string {
    return 'ErrandError'
  }
}

/** Refuses a case that the types say cannot happen; a compile-time error when a union grows. */
export function assertNever(value: never): never {
  throw new ErrandError('CALL_INVALID', `Unexpected case ${JSON.stringify(value)}.`)
}
