/** The code with which an action failed. */
export async function codeOf(action: Promise<unknown>): Promise<unknown> {
  try {
    await action
    return 'nothing'
  } catch (error) {
    return error instanceof Error && 'code' in error ? error.code : error
  }
}
