// The member on Node.js and npm's `ws`: a command as JSON on each line of standard input, its
// outcome on a line of standard output (peers.py).
import {webcrypto} from 'node:crypto';
import {createInterface} from 'node:readline';

import WebSocket from '/usr/share/nodejs/ws/wrapper.mjs';  // Debian's node-ws

import {Member} from './member.mjs';

const member = new Member(WebSocket, webcrypto.subtle);

for await (const line of createInterface({input: process.stdin})) {
  const outcome = await member.run(JSON.parse(line));
  process.stdout.write(JSON.stringify(outcome) + '\n');
}
process.exit(0);
