import { Command } from 'commander'
import type { ConfigOptions } from './config-options.js'
import { takingConfig } from './config-options.js'
import type { Finding, Patient } from './doctor-checks.js'
import { CHECKS } from './doctor-checks.js'

/** `errand doctor` */
export const doctorCommand = (): Command =>
  takingConfig(new Command('doctor'))
    .description('check that everything is in place, and say what to do where it is not')
    .action(async (options: ConfigOptions) => {
      process.exitCode = await examine(options)
    })

const MARK = { good: '✓', bad: '✗', note: '-' } as const

/** Prints a line for every check; 1 when one of them failed. */
async function examine(options: ConfigOptions): Promise<number> {
  const patient: Patient = { options, config: undefined, broker: undefined }
  let code = 0
  try {
    for (const { name, check } of CHECKS) {
      const finding = await check(patient)
      if (finding === undefined) continue
      if (finding.kind === 'bad') code = 1
      console.log(lineOf(name, finding))
    }
  } finally {
    await patient.broker?.close()
  }
  return code
}

const lineOf = (name: string, { kind, text }: Finding): string => `${MARK[kind]} ${name}: ${text.replaceAll('\n', '\n    ')}`
