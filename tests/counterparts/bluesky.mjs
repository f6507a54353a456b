// Bluesky's own servers on loopback, from the folder that install.sh filled (the working folder):
// the one that keeps accounts (PDS, with SQLite) at PORT and the directory of accounts (PLC, in
// memory) at PLC_PORT. With APPVIEW_PORT also the one that shows posts and counts (AppView), which
// needs DB_POSTGRES_URL and REDIS_HOST. Ends with SIGTERM.
import { Server } from 'node:net'

// They listen on every interface: only this machine is to reach them.
const listen = Server.prototype.listen
Server.prototype.listen = function (first, ...rest) {
  const here = typeof first === 'object' ? { host: '127.0.0.1', ...first } : { port: Number(first), host: '127.0.0.1' }
  return listen.call(this, here, ...rest.filter((one) => typeof one === 'function'))
}

const { TestNetwork, TestNetworkNoAppView } = await import(
  `${process.cwd()}/node_modules/@atproto/dev-env/dist/index.js`
)
const port = (name) => Number(process.env[name])
const asked = {
  plc: { port: port('PLC_PORT') },
  pds: { port: port('PORT'), hostname: 'localhost', enableDidDocWithSession: true },
}
const network = process.env.APPVIEW_PORT
  ? await TestNetwork.create({
      ...asked,
      dbPostgresSchema: 'bluesky',
      bsky: { port: port('APPVIEW_PORT'), publicUrl: `http://localhost:${process.env.APPVIEW_PORT}` },
    })
  : await TestNetworkNoAppView.create(asked)
console.log('ready')
process.on('SIGTERM', async () => {
  await network.close().catch(console.error)
  process.exit(0)
})
