// The yardstick of the API's /health: Express 5 with one route and nothing else, as a process of its own. Started by
// platform.ts.
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import express from 'express';

const app = express();
app.get('/health', (_request, response) => {
  response.json({ status: 'ok', mode: 'simulated', version: '0.0.0' });
});
const server = app.listen(0, '127.0.0.1');
await once(server, 'listening');
const { port } = server.address() as AddressInfo;
process.on('SIGTERM', () => {
  server.closeAllConnections();
  server.close();
});
process.stdout.write(`${JSON.stringify({ ready: true, url: `http://127.0.0.1:${String(port)}` })}\n`);
