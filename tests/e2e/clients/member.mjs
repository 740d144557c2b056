// A member of the exchange in JavaScript, for Node.js and for browsers: signs by itself, keeps its
// own books, balances and private sequence, and believes nothing. It knows the protocol only, as
// client.py does, and shares no code with it.
//
// A promise that the exchange breaks makes every later command fail with what was broken. The
// methods of Member are the commands that peers.py sends.

const REPLY_DEADLINE_MS = 20_000;
const PRIVATE_CHANNELS = ['executions', 'leases', 'balances'];
const CHECKSUM_LEVELS = 10;

function promise(holds, text, message) {
  if (!holds) throw new Error(`${text}: ${JSON.stringify(message)}`);
}

// ---- Bytes ----

const CRC_TABLE = Uint32Array.from({length: 256}, (_, index) => {
  let value = index;
  for (let bit = 0; bit < 8; ++bit) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

function crc32(text) {
  let crc = 0xffffffff;
  for (let i = 0; i < text.length; ++i) {
    crc = CRC_TABLE[(crc ^ text.charCodeAt(i)) & 0xff] ^ (crc >>> 8);
  }
  return (crc ^ 0xffffffff) >>> 0;
}

const utf8 = (text) => new TextEncoder().encode(text);
const toHex = (bytes) =>
    Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, '0')).join('');
const fromHex = (text) => Uint8Array.from(text.match(/../g), (pair) => parseInt(pair, 16));

function littleEndian(value) {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value), true);
  return bytes;
}

function concatenated(...parts) {
  const whole = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

// ---- Numbers ----

// "2.5" -> 2500000
function micros(text, message) {
  promise(/^-?(0|[1-9]\d*)(\.\d{1,6})?$/.test(text), 'no decimal', message);
  const [whole, fraction = ''] = text.split('.');
  return Number(whole + fraction.padEnd(6, '0'));
}

function creditsOf(text, message) {
  promise(/^(0|-?[1-9]\d*)$/.test(text), 'no credits', message);
  return BigInt(text);
}

// Numbers are integers that JavaScript can hold.
function parseStrictly(text) {
  return JSON.parse(text, (key, value) => {
    promise(typeof value !== 'number' || Number.isSafeInteger(value), `number at ${key}`, text);
    return value;
  });
}

// ---- What a member keeps ----

// An L2 book, rebuilt and proved on each message.
class Book {
  constructor(symbol, tick) {
    this.symbol = symbol;
    this.tick = micros(tick, tick);
    this.sides = {asks: new Map(), bids: new Map()};
    this.seq = null;
    this.snapshots = 0;
    this.proved = 0;
  }

  take(message) {
    promise(message.symbol === this.symbol, 'another book', message);
    if (message.type === 'snapshot') {
      promise(this.seq === null || message.seq > this.seq, 'an old snapshot', message);
      this.sides = {asks: new Map(), bids: new Map()};
      ++this.snapshots;
    } else {
      promise(message.type === 'update' && this.seq !== null, 'no update of a book', message);
      promise(message.prev_seq === this.seq, `expected prev_seq ${this.seq}`, message);
      promise(message.seq === this.seq + 1, 'the counter jumped', message);
    }
    this.seq = message.seq;
    for (const side of ['asks', 'bids']) {
      for (const [priceText, gpus] of message.data[side]) {
        const price = micros(priceText, message);
        promise(price > 0 && price % this.tick === 0, 'a price off the tick', message);
        if (gpus > 0) {
          this.sides[side].set(price, gpus);
        } else {
          promise(gpus === 0 && message.type === 'update', 'no such level', message);
          this.sides[side].delete(price);
        }
      }
    }
    promise(message.checksum === this.checksum(), `my checksum is ${this.checksum()}`, message);
    ++this.proved;
  }

  // [[price in micro-USD, GPUs]], best first.
  levels(side) {
    const sign = side === 'asks' ? 1 : -1;
    return [...this.sides[side]].sort((a, b) => sign * (a[0] - b[0]));
  }

  checksum() {
    const parts = ['asks', 'bids'].flatMap((side) => this.levels(side).slice(0, CHECKSUM_LEVELS));
    return crc32(parts.map(([price, gpus]) => `${price / this.tick}${gpus}`).join(''));
  }
}

// Public trades of one instrument.
class Trades {
  constructor(symbol) {
    this.symbol = symbol;
    this.seq = null;
    this.trades = [];
  }

  take(message) {
    promise(message.symbol === this.symbol, 'another instrument', message);
    if (message.type === 'update') {
      promise(message.prev_seq === this.seq, `expected prev_seq ${this.seq}`, message);
      this.trades.push(...message.data);
    }
    this.seq = message.seq;
  }
}

// Every change leads from what was to what is.
class Balances {
  take(message) {
    const isUpdate = message.type === 'update';
    for (const entry of message.data) {
      if (entry.asset === 'TOK') {
        promise(!isUpdate || !('balance' in entry), 'an event does not say the balance', message);
        this.tok = isUpdate ? this.tok + micros(entry.change, message)
                            : micros(entry.balance, message);
        promise(this.tok >= 0, 'TOK below zero', message);
        continue;
      }
      for (const name of ['free', 'locked']) {
        const after = creditsOf(entry[name], message);
        if (isUpdate) {
          const sign = BigInt(entry.to === name) - BigInt(entry.from === name);
          promise(this[name] + sign * creditsOf(entry.change, message) === after,
                  `${name} was ${this[name]}`, message);
        }
        this[name] = after;
      }
    }
  }
}

// The account's own sequence over all private channels; it outlives connections.
class PrivateSequence {
  constructor() {
    this.last = null;
    this.lastChannel = null;
    this.lastOfChannel = {};
    this.updates = [];
    this.balances = new Balances();
  }

  take(message) {
    const {seq, channel} = message;
    if (message.type === 'update') {
      promise(message.prev_seq === this.last, `expected prev_seq ${this.last}`, message);
      promise(seq > this.lastOfChannel[channel], 'a sequence again', message);
      this.updates.push(message);
    } else {
      promise(message.type === 'snapshot', 'no such type', message);
    }
    promise(this.last === null || seq >= this.last, 'the sequence fell', message);
    this.last = seq;
    this.lastChannel = channel;
    this.lastOfChannel[channel] = seq;
    if (channel === 'balances') this.balances.take(message);
  }
}

function checkReply(reply) {
  for (const {name, used, limit, reset_us: reset} of reply.limits ?? []) {
    promise(name && used >= 0 && used <= limit && reset >= 0, 'a limit is none', reply);
  }
  if (reply.success === true) {
    promise(typeof reply.result === 'object' && !('error' in reply), 'no result', reply);
    promise(reply.time_in > 0 && reply.time_in <= reply.time_out, 'times are wrong', reply);
    return;
  }
  promise(reply.success === false && !('result' in reply), 'neither answer nor error', reply);
  const {code, number, message, data, outcome} = reply.error;
  promise(/^[a-z0-9_]+$/.test(code) && number >= 1000 && number <= 9999, 'no reason', reply);
  promise(message.endsWith('.'), 'no sentence', reply);
  promise(['param', 'reason', 'retry_after_us'].every((name) => name in data), 'no data', reply);
  promise(['rejected', 'accepted', 'unknown'].includes(outcome), 'no outcome', reply);
}

// ---- The member ----

export class Member {
  // `WebSocket` as browsers have it; `subtle` of the Web Crypto API.
  constructor(WebSocket, subtle) {
    this.WebSocket = WebSocket;
    this.subtle = subtle;
    this.nextId = 1;
    this.sequence = new PrivateSequence();
    this.broken = null;
    this.waiters = new Set();
    this.forgetConnection();
  }

  // One command of peers.py: what came of it.
  async run({do: name, with: parameters}) {
    try {
      const result = await this[name](...parameters);
      if (this.broken) throw this.broken;
      return {result: result ?? null};
    } catch (error) {
      return {failure: `${error}\n${error.stack}`};
    }
  }

  async makeKey() {
    this.key = await this.subtle.generateKey({name: 'Ed25519'}, true, ['sign', 'verify']);
    this.publicKey = toHex(await this.subtle.exportKey('raw', this.key.publicKey));
    return this.publicKey;
  }

  // The extensions that were agreed on.
  connect(url, serverName) {
    this.forgetConnection();
    this.serverName = serverName;
    const socket = new this.WebSocket(url);
    this.socket = socket;
    return new Promise((resolve, reject) => {
      socket.onopen = () => resolve(socket.extensions);
      socket.onerror = () => reject(new Error(`no connection to ${url}`));
      socket.onmessage = ({data}) => this.onMessage(socket, data);
      socket.onclose = ({code}) => this.onClose(socket, code);
    });
  }

  async openAccount() {
    return (await this.signed('account.open', {}, 0)).account;
  }

  async logon(account) {
    const result = await this.signed('session.logon', {account}, account);
    promise(result.account === account, 'logged on to another account', result);
  }

  // The whole reply.
  call(method, params = {}) {
    const id = this.nextId++;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.fail(id, `no reply to ${method}`), REPLY_DEADLINE_MS);
      this.pending.set(id, {method, resolve, reject, timer});
      this.socket.send(JSON.stringify({method, req_id: id, params}));
    });
  }

  async subscribe(channel, symbol, tick) {
    const name = symbol === undefined ? channel : `${channel} ${symbol}`;
    const kinds = {book: () => new Book(symbol, tick), trades: () => new Trades(symbol)};
    this.feeds.set(name, kinds[channel]?.() ?? null);
    await this.result('subscribe', {channel, symbol});
    await this.until(() => this.begun.has(name), `the snapshot of ${name}`);
  }

  // Goes on with the private channels where the last connection was cut.
  resume() {
    for (const channel of PRIVATE_CHANNELS) this.feeds.set(channel, null);
    return this.result('session.resume', {
      last_seq: this.sequence.last,
      last_channel: this.sequence.lastChannel,
      channels: PRIVATE_CHANNELS,
    });
  }

  untilPrivate(seq) {
    return this.until(() => this.sequence.last >= seq, `private event ${seq}`);
  }

  untilBook(symbol, seq) {
    return this.until(() => this.feeds.get(`book ${symbol}`).seq >= seq, `update ${seq}`);
  }

  // The code that the connection was closed with.
  async untilClosed() {
    await this.until(() => this.closeCode !== null, 'the end of the connection');
    return this.closeCode;
  }

  updates() {
    return this.sequence.updates;
  }

  book(symbol) {
    const book = this.feeds.get(`book ${symbol}`);
    return {
      asks: book.levels('asks'),
      bids: book.levels('bids'),
      seq: book.seq,
      snapshots: book.snapshots,
      proved: book.proved,
    };
  }

  trades(symbol) {
    return this.feeds.get(`trades ${symbol}`).trades;
  }

  // In micro-TOK and credits, as strings.
  money() {
    const {tok, free, locked} = this.sequence.balances;
    return {tok: String(tok), free: String(free), locked: String(locked)};
  }

  // An orderly end: the close frame and its echo.
  async close() {
    this.socket.close(1000);
    return this.untilClosed();
  }

  // -- Below the commands

  forgetConnection() {
    this.pending = new Map();
    this.feeds = new Map();
    this.begun = new Set();
    this.closeCode = null;
  }

  async result(method, params) {
    const reply = await this.call(method, params);
    promise(reply.success, 'refused', reply);
    return reply.result;
  }

  // The result of a method that takes a signed nonce.
  async signed(method, params, account) {
    const {nonce} = await this.result('session.challenge');
    const timestamp = Date.now() * 1000;
    const server = new Uint8Array(await this.subtle.digest('SHA-256', utf8(this.serverName)));
    const message = concatenated(utf8('warpbook-logon-v1'), server, fromHex(nonce),
                                 littleEndian(account), littleEndian(timestamp));
    const signature = await this.subtle.sign({name: 'Ed25519'}, this.key.privateKey, message);
    return this.result(
        method,
        {...params, timestamp, public_key: this.publicKey, signature: toHex(signature)});
  }

  onMessage(socket, data) {
    if (socket !== this.socket || this.broken) return;
    try {
      promise(typeof data === 'string', 'a binary message', String(data));
      const message = parseStrictly(data);
      if ('channel' in message) {
        this.onUpdate(message);
      } else {
        this.onReply(message);
      }
    } catch (error) {
      this.broken = error;
      socket.close();
    }
    this.wake();
  }

  onUpdate(message) {
    const {channel, symbol} = message;
    if (channel === 'status') return;
    const name = symbol === undefined ? channel : `${channel} ${symbol}`;
    promise(this.feeds.has(name), 'not subscribed to this', message);
    promise(message.ts > 0, 'no time', message);
    if (PRIVATE_CHANNELS.includes(channel)) {
      this.sequence.take(message);
    } else {
      this.feeds.get(name).take(message);
    }
    this.begun.add(name);
  }

  onReply(reply) {
    checkReply(reply);
    const call = this.pending.get(reply.req_id);
    promise(call !== undefined && call.method === reply.method, 'a reply to nothing', reply);
    this.pending.delete(reply.req_id);
    clearTimeout(call.timer);
    call.resolve(reply);
  }

  onClose(socket, code) {
    if (socket !== this.socket) return;
    this.closeCode = code;
    for (const id of this.pending.keys()) this.fail(id, `closed with ${code}`);
    this.wake();
  }

  fail(id, why) {
    const call = this.pending.get(id);
    if (call === undefined) return;
    this.pending.delete(id);
    clearTimeout(call.timer);
    call.reject(this.broken ?? new Error(why));
  }

  // Looks at the condition after each message.
  until(condition, what) {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => end(reject, new Error(`waited in vain for ${what}`)),
                               REPLY_DEADLINE_MS);
      const end = (settle, value) => {
        clearTimeout(timer);
        this.waiters.delete(look);
        settle(value);
      };
      const look = () => {
        if (this.broken) {
          end(reject, this.broken);
        } else if (condition()) {
          end(resolve);
        }
      };
      this.waiters.add(look);
      look();
    });
  }

  wake() {
    for (const look of [...this.waiters]) look();
  }
}
