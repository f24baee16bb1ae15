// npm run test:faults: compiles and runs the fault matrix: real servers, workers and brokers that are killed, frozen and cut off.
//   npm run test:faults -- --row F9 --seed 12   one row, with the choices of an earlier run
//   npm run test:faults -- --brief              a dozen rows of every kind, as in continuous integration
//   npm run test:faults -- --long               full sizes
//   npm run test:faults -- --versions           also on RabbitMQ 4, from folders that are made on first use (Debian, root)
import { join } from 'node:path'
import { findRabbit } from './rabbitmq.mjs'
import { otherVersions } from './rabbitmq4.mjs'
import { inherit, root, runScript, setup } from './setup.mjs'

await runScript(async () => {
  const given = process.argv.slice(2)
  await setup()
  const found = findRabbit({ mayInstall: true, say: console.log })
  if (found.missing !== undefined) console.log(found.missing)
  const others = given.includes('--versions') ? otherVersions({ say: console.log }) : []
  const versions = others.flatMap(({ version, bin, root: folder }) => ['--version', `${version}=${bin}:${folder}`])
  const args = given.filter((arg) => arg !== '--versions')
  return inherit(process.execPath, ['--enable-source-maps', join(root, 'build', 'test', 'faults', 'main.js'), ...args, ...versions])
})
