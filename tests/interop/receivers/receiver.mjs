// Receiver of confirmations on node. Arguments: kind, chain, key, file for received messages, file for the port.
import { appendFileSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createSecureServer } from 'node:http2';
import { createServer } from 'node:https';

const [kind, chain, key, came, ready] = process.argv.slice(2);
const tls = { cert: readFileSync(chain), key: readFileSync(key) };

/** Unusual response head that breaks off. */
const ODD = [
  'HTTP/1.1 200 OK',
  'X-Powered-By : ASP',
  'X-Folded: first',
  ' second',
  'no colon',
  'bad name(): \u00e9\u0001',
  ...Array.from({ length: 1200 }, (_, number) => `X-${number}: y`),
  'Content-Length: 1',
  'Content-Length: 2',
  '',
  'cut short',
].join('\r\n');

async function receive(request, response) {
  const parts = [];
  for await (const part of request) parts.push(part);
  const { method, url: path, headers, httpVersion } = request;
  const body = Buffer.concat(parts).toString();
  appendFileSync(came, `${JSON.stringify({ method, path, headers, httpVersion, body })}\n`);
  if (kind === 'odd') {
    response.socket.end(ODD);
    return;
  }
  for (let number = 0; number < 120; number += 1) response.setHeader(`X-${number}`, 'y');
  response.statusCode = 200;
  response.end('{"received": true}');
}

const server = kind === 'http2' ? createSecureServer({ ...tls, allowHTTP1: false }, receive) : createServer(tls, receive);
server.listen(0, '127.0.0.1', () => {
  writeFileSync(`${ready}.new`, String(server.address().port));
  renameSync(`${ready}.new`, ready);
});
