import { processState } from '../process-state.js'

const state = processState('error-stacks', () => ({ travel: false }))

/** Whether errors carry their stacks from now on, in messages and in what is kept of tasks. @defaultValue false */
export function setErrorStacks(travel: boolean): void {
  state.travel = travel
}

/** Enough for a person; the room for an error that is kept is small. */
const LONGEST_STACK = 4096

/** The stack of an error as it travels: `undefined` where it stays behind. */
export const travellingStack = ({ stack }: Error): string | undefined =>
  state.travel && typeof stack === 'string' ? stack.slice(0, LONGEST_STACK) : undefined
