// The managed Node.js runtime (18 and newer): one function, one process, one event at a time.
//
//   node bootstrap.mjs          held: reads its environment as KEY=value NUL … until end of file
//                               from descriptor 3, then loads the handler
//   node bootstrap.mjs --now    (or without a descriptor 3) the environment is its own
//
// It serves the Runtime API over one kept-alive socket. Start time counts: only node:net, node:fs,
// node:module and node:util are loaded. What it answers and logs follows AWS's own runtime client.
import net from 'node:net';
import fs from 'node:fs';
import util from 'node:util';
import { createRequire, Module } from 'node:module';
import * as modules from 'node:module';

const API = '/2018-06-01/runtime/';
const require = createRequire(import.meta.url);
const MAX_CAUSE_HEADER = 16384; // a longer X-Ray cause is left out
// Read by the loader or by node before any of our code runs: a held process whose assignment
// differs in one of them starts itself again.
const START_VARIABLES = /^(LD_|MALLOC_|GLIBC_TUNABLES$|NODE_(?!PATH$)|SSL_CERT_|OPENSSL_|LANG$|LC_)/;

// --- environment ------------------------------------------------------------------------------

function isHeld() {
  if (process.argv.includes('--now')) return false;
  try {
    fs.fstatSync(3);
    return true;
  } catch {
    return false;
  }
}

// Waits at the hold point and replaces the environment by the assigned one.
function takeAssignment() {
  const chunks = [];
  const buffer = Buffer.allocUnsafe(65536);
  for (;;) {
    let size;
    try {
      size = fs.readSync(3, buffer, 0, buffer.length, null);
    } catch (error) {
      if (error.code === 'EINTR' || error.code === 'EAGAIN') continue;
      throw error;
    }
    if (size === 0) break;
    chunks.push(Buffer.from(buffer.subarray(0, size)));
  }
  const assigned = {};
  for (const entry of Buffer.concat(chunks).toString('utf8').split('\0')) {
    const equals = entry.indexOf('=');
    if (equals > 0) assigned[entry.slice(0, equals)] = entry.slice(equals + 1);
  }
  // Descriptor 3 may be the way that logs take from here on.
  if (assigned._LAMBDA_TELEMETRY_LOG_FD !== '3') fs.closeSync(3);
  const wrapper = assigned.AWS_LAMBDA_EXEC_WRAPPER;
  if (wrapper) startWrapped(wrapper, assigned);
  const names = new Set([...Object.keys(assigned), ...Object.keys(process.env)]);
  for (const name of names)
    if (START_VARIABLES.test(name) && assigned[name] !== process.env[name]) startAgain(assigned);
  for (const name of Object.keys(process.env)) if (!(name in assigned)) delete process.env[name];
  for (const name of Object.keys(assigned))
    if (process.env[name] !== assigned[name]) process.env[name] = assigned[name];
}

function startAgain(environment) {
  replaceBy(process.execPath, [...process.execArgv, process.argv[1], '--now'], environment);
}

// The customer's wrapper script starts the interpreter in our stead.
function startWrapped(wrapper, environment) {
  const fail = (why, status) => {
    fs.writeSync(1, `${wrapper}: ${why}\n`);
    process.exit(status);
  };
  if (!fs.existsSync(wrapper)) fail('does not exist', 127);
  try {
    fs.accessSync(wrapper, fs.constants.X_OK);
  } catch {
    fail('is not an executable', 126);
  }
  const args = [process.execPath, ...process.execArgv, process.argv[1], '--now'];
  replaceBy(wrapper, args, environment);
}

function replaceBy(program, args, environment) {
  if (process.execve) process.execve(program, [program, ...args], environment);
  const log = environment._LAMBDA_TELEMETRY_LOG_FD === '3' ? [3] : [];
  const child = require('node:child_process').spawnSync(program, args, {
    env: environment,
    stdio: ['inherit', 'inherit', 'inherit', ...log],
  });
  if (child.signal) process.kill(process.pid, child.signal);
  process.exit(child.status ?? 1);
}

// --- errors -----------------------------------------------------------------------------------

class RuntimeFault extends Error {
  constructor(type, message, stack) {
    super(message);
    this.name = type;
    if (stack) this.stack = stack;
    else this.stack = `${type}: ${message}` + this.stack.slice(this.stack.indexOf('\n'));
  }
}
const intoError = (error) => (error instanceof Error || util.types.isNativeError(error)
  ? error : new Error(String(error)));
const safe = (text) => (typeof text === 'string' ? text.replaceAll('\x7f', '%7F') : text);

function describe(error) {
  try {
    if (error instanceof Error || util.types.isNativeError(error)) {
      return {
        errorType: safe(error.name),
        errorMessage: safe(error.message),
        trace: safe(error.stack)?.split('\n') || [],
      };
    }
    return { errorType: typeof error, errorMessage: String(error), trace: [] };
  } catch {
    return {
      errorType: 'handled',
      errorMessage:
        'callback called with Error argument, but there was a problem while retrieving one or more of its message, name, and stack',
      trace: [],
    };
  }
}

// The cause in X-Ray's form.
function xrayCause(error) {
  try {
    const lines = safe(error.stack)?.split('\n').slice(1) ?? [];
    const stack = lines.map((line) => {
      const plain = line.trim().replace(/[()]/g, '').replace(/^\S*\s/, '');
      const space = plain.lastIndexOf(' ');
      const [path, row] = plain.slice(space + 1).split(':');
      return { path, line: parseInt(row), label: space >= 0 ? plain.slice(0, space) : 'anonymous' };
    });
    return JSON.stringify({
      working_directory: process.cwd(),
      exceptions: [{ type: safe(error.name), message: safe(error.message), stack }],
      paths: [...new Set(stack.map((entry) => entry.path))],
    });
  } catch {
    return '';
  }
}

function withEnumerableProperties(error) {
  if (!(error instanceof Error)) return error;
  const all = { errorType: error.name, errorMessage: error.message, code: error.code, ...error };
  if (typeof error.stack === 'string') all.stack = error.stack.split('\n');
  return all;
}

// --- logs -------------------------------------------------------------------------------------

const LEVELS = { TRACE: 1, DEBUG: 2, INFO: 3, WARN: 4, ERROR: 5, FATAL: 6 };
const current = { requestId: undefined, tenantId: undefined };
let jsonFormat = false;

function jsonReplacer(_, value) {
  if (!(value instanceof Error)) return value;
  const type = value.constructor?.name ?? 'UnknownError';
  const stackTrace = typeof value.stack === 'string' ? value.stack.split('\n') : value.stack;
  return { errorType: type, errorMessage: value.message, stackTrace, ...value };
}

function jsonLine(time, level, message, params) {
  const line = { timestamp: time, level, requestId: current.requestId };
  if (current.tenantId) line.tenantId = current.tenantId;
  if (params.length === 0) {
    line.message = message;
    try {
      return JSON.stringify(line, jsonReplacer);
    } catch {
      line.message = util.format(message);
      return JSON.stringify(line);
    }
  }
  line.message = util.format(message, ...params);
  const error = params.find((param) => param instanceof Error);
  if (error) {
    line.errorType = error.constructor?.name ?? 'UnknownError';
    line.errorMessage = error.message;
    line.stackTrace = typeof error.stack === 'string' ? error.stack.split('\n') : [];
  }
  return JSON.stringify(line);
}

// Synchronous, so that nothing is lost when the process ends or is frozen. The pipe may be full.
function writeAll(descriptor, data) {
  let bytes = typeof data === 'string' ? Buffer.from(data) : data;
  while (bytes.length > 0) {
    try {
      bytes = bytes.subarray(fs.writeSync(descriptor, bytes));
    } catch (error) {
      if (error.code === 'EAGAIN') Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
      else if (error.code !== 'EINTR') throw error;
    }
  }
}

// A line feed inside a message travels as a carriage return, as AWS's own client does, so that a
// message stays one event.
function writeLine(text) {
  writeAll(1, text.replace(/\n/g, '\r') + '\n');
}

// Descriptor _LAMBDA_TELEMETRY_LOG_FD: type, length, time in microseconds, message.
function writeFrame(descriptor, level, time, text) {
  const message = Buffer.from(text);
  const frame = Buffer.allocUnsafe(16 + message.length);
  frame.writeUInt32BE(((jsonFormat ? 0xa55a0002 : 0xa55a0003) | (LEVELS[level] * 4)) >>> 0, 0);
  frame.writeUInt32BE(message.length, 4);
  frame.writeBigInt64BE(BigInt(time.valueOf()) * 1000n, 8);
  message.copy(frame, 16);
  writeAll(descriptor, frame);
}

function patchConsole() {
  jsonFormat = process.env.AWS_LAMBDA_LOG_FORMAT?.toUpperCase() === 'JSON';
  const least = LEVELS[process.env.AWS_LAMBDA_LOG_LEVEL?.toUpperCase()] ?? LEVELS.TRACE;
  const descriptor = parseInt(process.env._LAMBDA_TELEMETRY_LOG_FD, 10);
  delete process.env._LAMBDA_TELEMETRY_LOG_FD;
  const logger = (level) => {
    if (LEVELS[level] < least) return () => {};
    return (message, ...params) => {
      const time = new Date();
      const stamp = time.toISOString();
      const text = jsonFormat
        ? jsonLine(stamp, level, message, params)
        : `${stamp}\t${current.requestId}\t${level}\t${util.format(message, ...params)}`;
      if (descriptor >= 0) writeFrame(descriptor, level, time, jsonFormat ? text : text + '\n');
      else writeLine(text);
    };
  };
  console.trace = logger('TRACE');
  console.debug = logger('DEBUG');
  console.info = console.log = logger('INFO');
  console.warn = logger('WARN');
  console.error = logger('ERROR');
  console.fatal = logger('FATAL');
}

function logError(title, error) {
  const real = intoError(error);
  if (jsonFormat) return console.error(real);
  let text;
  try {
    text = JSON.stringify(real, (_, value) => withEnumerableProperties(value));
  } catch {
    text = JSON.stringify(describe(real));
  }
  console.error(title, '\t' + text);
}

// --- the Runtime API --------------------------------------------------------------------------

// HTTP/1.1 over one socket. Requests are answered in order; the answer to an event and the wait for
// the next one go out together.
class Api {
  constructor(address) {
    const colon = address.lastIndexOf(':');
    this.host = address.slice(0, colon).replace(/^\[|\]$/g, '');
    this.port = Number(address.slice(colon + 1));
    this.tail = `Host: ${address}\r\nUser-Agent: pileus-nodejs/${process.versions.node}\r\n`;
    this.nextRequest = `GET ${API}invocation/next HTTP/1.1\r\n${this.tail}\r\n`;
    this.socket = null;
    this.waiting = []; // {resolve, reject} of the requests that are on their way
    this.buffer = Buffer.alloc(0);
  }

  connect() {
    const socket = net.connect({ host: this.host, port: this.port, noDelay: true });
    this.socket = socket;
    this.buffer = Buffer.alloc(0);
    socket.on('data', (chunk) => {
      this.buffer = this.buffer.length ? Buffer.concat([this.buffer, chunk]) : chunk;
      this.read();
    });
    const lost = (error) => {
      if (this.socket !== socket) return;
      this.socket = null;
      const reason = error ?? new Error('the Runtime API closed the connection');
      for (const waiter of this.waiting.splice(0)) waiter.reject(reason);
    };
    socket.on('error', lost);
    socket.on('close', () => lost());
  }

  // Sends one request; its response arrives in turn.
  send(data) {
    if (!this.socket) this.connect();
    const answered = new Promise((resolve, reject) => this.waiting.push({ resolve, reject }));
    this.socket.write(data);
    return answered;
  }

  read() {
    while (this.waiting.length > 0) {
      const response = parseResponse(this.buffer);
      if (!response) return;
      this.buffer = this.buffer.subarray(response.size);
      if (response.status === 100) continue;
      this.waiting.shift().resolve(response);
    }
  }

  postRequest(path, body, extra = '') {
    const bytes = typeof body === 'string' ? Buffer.from(body) : body;
    const head = `POST ${API}${path} HTTP/1.1\r\n${this.tail}${extra}Content-Length: ${bytes.length}\r\n\r\n`;
    return Buffer.concat([Buffer.from(head, 'latin1'), bytes]);
  }

  async post(path, body, extra) {
    return this.send(this.postRequest(path, body, extra));
  }

  // Gives `answer` (made by postRequest), then waits for the next event.
  async next(answer) {
    if (answer) {
      const posted = this.send(answer);
      const next = this.send(this.nextRequest);
      next.catch(() => {});
      let response;
      try {
        response = await posted;
      } catch {
        // Whether it arrived is unknown; the platform refuses a second answer.
        response = await this.send(answer);
      }
      if (response.status >= 300) {
        writeAll(2, `The Runtime API refused the answer: ${response.status} ${response.body}\n`);
        if (response.status === 403 || response.status >= 500) process.exit(1);
      }
      try {
        return checkEvent(await next);
      } catch {
        // fall through: ask again on a new connection
      }
    }
    for (let attempt = 0; ; attempt++) {
      try {
        return checkEvent(await this.send(this.nextRequest));
      } catch (error) {
        if (attempt >= 3) throw error;
      }
    }
  }
}

function checkEvent(response) {
  if (response.status !== 200) {
    writeAll(2, `The Runtime API gave no event: ${response.status} ${response.body}\n`);
    process.exit(1);
  }
  return response;
}

// One response at the start of `buffer`, or undefined while it is not all there.
function parseResponse(buffer) {
  const end = buffer.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const lines = buffer.latin1Slice(0, end).split('\r\n');
  const status = parseInt(lines[0].split(' ', 2)[1], 10);
  const headers = {};
  for (let i = 1; i < lines.length; i++) {
    const colon = lines[i].indexOf(':');
    headers[lines[i].slice(0, colon).toLowerCase()] = lines[i].slice(colon + 1).trim();
  }
  const start = end + 4;
  if (headers['transfer-encoding']?.includes('chunked')) {
    const chunked = parseChunks(buffer, start);
    return chunked && { status, headers, body: chunked.body, size: chunked.end };
  }
  const length = Number(headers['content-length'] ?? 0);
  if (buffer.length < start + length) return undefined;
  return { status, headers, body: buffer.utf8Slice(start, start + length), size: start + length };
}

function parseChunks(buffer, position) {
  const pieces = [];
  for (;;) {
    const line = buffer.indexOf('\r\n', position);
    if (line < 0) return undefined;
    const size = parseInt(buffer.latin1Slice(position, line), 16);
    position = line + 2;
    if (size === 0) break;
    if (buffer.length < position + size + 2) return undefined;
    pieces.push(buffer.subarray(position, position + size));
    position += size + 2;
  }
  for (;;) {
    const line = buffer.indexOf('\r\n', position);
    if (line < 0) return undefined;
    const empty = line === position;
    position = line + 2;
    if (empty) return { body: Buffer.concat(pieces).toString('utf8'), end: position };
  }
}

function errorHeaders(described, error) {
  const type = String(described.errorType ?? 'Unhandled').replace(/[^\x20-\x7e]/g, '');
  let extra = `Content-Type: application/json\r\nLambda-Runtime-Function-Error-Type: ${type}\r\n`;
  const cause = error === undefined ? '' : xrayCause(error).replace(/[^\x20-\x7e]/g, '?');
  if (cause && cause.length <= MAX_CAUSE_HEADER)
    extra += `Lambda-Runtime-Function-XRay-Error-Cause: ${cause}\r\n`;
  return extra;
}

// --- loading the handler ----------------------------------------------------------------------

const STREAMING = Symbol.for('aws.lambda.runtime.handler.streaming');
const HIGH_WATER_MARK = Symbol.for('aws.lambda.runtime.handler.streaming.highWaterMark');
let runtimeDir = '/var/runtime';

function nodePaths() {
  return (process.env.NODE_PATH ?? '').split(':').filter(Boolean);
}

// NODE_PATH as AWS sets it, where the customer did not; require() learns of it here.
function arrangePaths() {
  const major = process.versions.node.split('.')[0];
  process.env.NODE_PATH ??= [
    `/opt/nodejs/node${major}/node_modules`, '/opt/nodejs/node_modules',
    `${runtimeDir}/node_modules`, runtimeDir, process.env.LAMBDA_TASK_ROOT ?? '/var/task',
  ].join(':');
  Module._initPaths();
}

// ES modules do not look into NODE_PATH by themselves; AWS's do. A bare name that is not found the
// usual way is looked for there.
function arrangeEsmPaths() {
  const parents = nodePaths().filter((path) => fs.existsSync(path));
  if (parents.length === 0) return;
  // The sandbox mounts the SDK at /node_modules too, where ES modules look anyway.
  const root = fs.statSync('/node_modules', { throwIfNoEntry: false });
  const seen = (path) => {
    const folder = fs.statSync(path, { throwIfNoEntry: false });
    return root && folder && folder.ino === root.ino && folder.dev === root.dev;
  };
  const rest = parents.filter((path) => path.endsWith('/node_modules') && !seen(path));
  if (rest.length === 0) return;
  if (modules.registerHooks) {
    modules.registerHooks({
      resolve(specifier, context, next) {
        try {
          return next(specifier, context);
        } catch (error) {
          if (!isMissingPackage(error, specifier)) throw error;
          for (const parent of rest) {
            try {
              return next(specifier, { ...context, parentURL: `file://${parent}/../_.mjs` });
            } catch {
              // the next folder
            }
          }
          throw error;
        }
      },
    });
  } else if (modules.register) {
    const source = `
      let parents;
      export async function initialize(data) { parents = data; }
      export async function resolve(specifier, context, next) {
        try { return await next(specifier, context); } catch (error) {
          if (error.code !== 'ERR_MODULE_NOT_FOUND' || /^(\\.|\\/|[a-z]+:)/.test(specifier)) throw error;
          for (const parent of parents) {
            try {
              return await next(specifier, { ...context, parentURL: 'file://' + parent + '/../_.mjs' });
            } catch {}
          }
          throw error;
        }
      }`;
    modules.register('data:text/javascript,' + encodeURIComponent(source), {
      parentURL: import.meta.url,
      data: rest,
    });
  }
}

function isMissingPackage(error, specifier) {
  return (error.code === 'ERR_MODULE_NOT_FOUND' || error.code === 'MODULE_NOT_FOUND')
    && !/^(\.|\/|[a-z]+:)/.test(specifier);
}

function parseHandlerName(text) {
  if (text.includes('..'))
    throw new RuntimeFault('Runtime.MalformedHandlerName',
      `'${text}' is not a valid handler name. Use absolute paths when specifying root directories in handler names.`);
  const slash = text.lastIndexOf('/');
  const match = /^([^.]*)\.(.*)$/.exec(text.slice(slash + 1));
  if (!match) throw new RuntimeFault('Runtime.MalformedHandlerName', 'Bad handler');
  return { folder: slash >= 0 ? text.slice(0, slash) : '', module: match[1], name: match[2] };
}

function isModuleType(folder) {
  for (let at = folder; ; at = at.slice(0, at.lastIndexOf('/')) || '/') {
    try {
      return JSON.parse(fs.readFileSync(`${at}/package.json`, 'utf8')).type === 'module';
    } catch {
      if (at === '/' || at === '') return false;
    }
  }
}

// The module of the handler. CommonJS is loaded with require (quicker), ES modules with import.
async function loadModule(root, folder, name) {
  const path = require('node:path');
  const base = path.resolve(root, folder, name);
  const isFile = (file) => fs.statSync(file, { throwIfNoEntry: false })?.isFile();
  try {
    for (const extension of ['', '.js', '.mjs', '.cjs']) {
      const file = base + extension;
      if (!isFile(file)) continue;
      const esm = extension === '.mjs' || (extension === '.js' && isModuleType(path.dirname(file)));
      if (!esm) {
        try {
          return requireHandler(file);
        } catch (error) {
          // ES syntax in a .js file without "type": newer Nodes detect it on import
          if (error?.code !== 'ERR_REQUIRE_ESM' && !looksLikeEsm(error)) throw error;
        }
      }
      arrangeEsmPaths();
      return await import(`file://${encodeURI(file).replace(/[?#]/g, encodeURIComponent)}`);
    }
    const parents = [root, path.join(root, folder)];
    return requireHandler(require.resolve(base, { paths: parents }), name);
  } catch (error) {
    if (error instanceof SyntaxError)
      throw new RuntimeFault('Runtime.UserCodeSyntaxError', String(error), error.stack);
    if (error?.code === 'MODULE_NOT_FOUND' || error?.code === 'ERR_MODULE_NOT_FOUND') {
      const missing = String(error).split('\n')[0].includes(base) && error.code === 'MODULE_NOT_FOUND'
        ? `Error: Cannot find module '${name}'\nRequire stack:\n- ${runtimeDir}/bootstrap.mjs`
        : String(error);
      throw new RuntimeFault('Runtime.ImportModuleError', missing);
    }
    throw error;
  }
}

function requireHandler(file) {
  return createRequire(file)(file);
}

function looksLikeEsm(error) {
  return error instanceof SyntaxError
    && /Cannot use import statement outside a module|Unexpected token 'export'|await is only valid in/
      .test(error.message)
    && Number(process.versions.node.split('.')[0]) >= 20
    && (Number(process.versions.node.split('.')[0]) >= 22
      || process.execArgv.includes('--experimental-detect-module')
      || process.features.require_module);
}

const nested = (value, name) =>
  name.split('.').reduce((at, key) => (at && (typeof at === 'object' || typeof at === 'function')
    ? at[key] : undefined), value);

// The runtime that the function was made for: 22 for nodejs22.x.
const generation = () =>
  Number(/nodejs(\d+)/.exec(process.env.AWS_EXECUTION_ENV ?? '')?.[1] ?? process.versions.node.split('.')[0]);

async function loadHandler(text) {
  const { folder, module: moduleName, name } = parseHandlerName(text);
  const loaded = await loadModule(process.env.LAMBDA_TASK_ROOT ?? '/var/task', folder, moduleName);
  const handler = nested(loaded, name) ?? nested(loaded?.default, name);
  if (!handler)
    throw new RuntimeFault('Runtime.HandlerNotFound', `${text} is undefined or not exported`);
  if (typeof handler !== 'function')
    throw new RuntimeFault('Runtime.HandlerNotFound', `${text} is not a function`);
  if (handler[STREAMING] && handler[STREAMING] !== 'response')
    throw new RuntimeFault('Runtime.MalformedStreamingHandler', 'Only response streaming is supported.');
  if (generation() >= 24 && handler.length >= 3 && !handler[STREAMING])
    throw new RuntimeFault('Runtime.CallbackHandlerDeprecated',
      'ERROR: AWS Lambda has removed support for callback-based function handlers starting with Node.js 24. You need to modify this function to use a supported handler signature to use Node.js 24 or later. For more information see https://docs.aws.amazon.com/lambda/latest/dg/nodejs-handler.html.');
  return handler;
}

// --- streamed answers -------------------------------------------------------------------------

function setUpGlobals() {
  const off = process.env.AWS_LAMBDA_NODEJS_NO_GLOBAL_AWSLAMBDA;
  if (off === '1' || off === 'true') return;
  globalThis.awslambda = {
    ...globalThis.awslambda,
    streamifyResponse(handler, options) {
      handler[STREAMING] = 'response';
      if (typeof options?.highWaterMark === 'number')
        handler[HIGH_WATER_MARK] = parseInt(String(options.highWaterMark));
      return handler;
    },
    HttpResponseStream: {
      // The metadata as JSON, eight NUL bytes, then what is written.
      from(stream, prelude) {
        stream.setContentType('application/vnd.awslambda.http-integration-response');
        const text = JSON.stringify(prelude);
        stream._onBeforeFirstWrite = (write) => {
          write(text);
          write(new Uint8Array(8));
        };
        return stream;
      },
    },
  };
}

// A Writable whose chunks go to the Runtime API as one chunked POST. Loaded for streaming handlers.
async function makeResponseStream(api, requestId, highWaterMark) {
  const { Writable } = await import('node:stream');
  const chunk = (data) => Buffer.concat([
    Buffer.from(`${data.length.toString(16)}\r\n`), data, Buffer.from('\r\n')]);
  let contentType = 'application/octet-stream';
  let answered;
  const begin = () => {
    if (answered) return;
    answered = api.send(
      `POST ${API}invocation/${requestId}/response HTTP/1.1\r\n${api.tail}`
      + `Content-Type: ${contentType}\r\nLambda-Runtime-Function-Response-Mode: streaming\r\n`
      + 'Trailer: Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body\r\n'
      + 'Transfer-Encoding: chunked\r\n\r\n');
    answered.catch(() => stream.destroy());
  };
  const stream = new Writable({
    ...(highWaterMark ? { highWaterMark } : {}),
    write(data, encoding, done) {
      begin();
      if (data.length === 0) return done();
      api.socket.write(chunk(data), done);
    },
    final(done) {
      begin();
      api.socket.write('0\r\n\r\n', done);
    },
  });
  const write = stream.write.bind(stream);
  const plain = (data, encoding, callback) => {
    const isBytes = typeof data === 'string' || data instanceof Uint8Array;
    return write(isBytes ? data : JSON.stringify(data), encoding, callback);
  };
  let written = false;
  stream.write = (data, encoding, callback) => {
    if (!written) {
      written = true;
      stream._onBeforeFirstWrite?.((piece) => plain(piece));
    }
    return plain(data, encoding, callback);
  };
  const end = stream.end.bind(stream);
  stream.end = (data, encoding, callback) => {
    if (typeof data === 'function') return end(data);
    if (data !== undefined && data !== null) stream.write(data, encoding);
    else if (!written && stream._onBeforeFirstWrite) {
      written = true;
      stream._onBeforeFirstWrite((piece) => plain(piece));
    }
    return end(typeof encoding === 'function' ? encoding : callback);
  };
  stream.setContentType = (type) => {
    if (answered || written)
      throw new RuntimeFault('Runtime.InvalidStreamingOperation', 'Cannot set content-type, too late.');
    contentType = type;
  };
  return {
    stream,
    response: () => (begin(), answered),
    // Ends the body with the error as trailers.
    async fail(error) {
      const described = describe(error);
      begin();
      if (stream.writableFinished) return;
      stream.on('error', () => {});
      stream.destroy();
      const body = Buffer.from(JSON.stringify(described)).toString('base64');
      api.socket?.write(`0\r\nLambda-Runtime-Function-Error-Type: ${described.errorType}\r\n`
        + `Lambda-Runtime-Function-Error-Body: ${body}\r\n\r\n`);
    },
  };
}

async function invokeStreaming(api, handler, event, context) {
  const { stream, response, fail } =
    await makeResponseStream(api, context.awsRequestId, handler[HIGH_WATER_MARK]);
  try {
    const running = handler(event, stream, context);
    if (typeof running?.then !== 'function')
      throw new Error('Streaming does not support non-async handlers.');
    if ((await running) !== undefined) console.warn('Streaming handlers ignore return values.');
    // A stream that the handler left open may still be ended by what it set going.
    if (!stream.writableFinished && !stream.destroyed) {
      await new Promise((resolve) => {
        stream.once('finish', resolve);
        stream.once('close', resolve);
        process.once('beforeExit', resolve);
      });
    }
    if (!stream.writableFinished) throw new Error('Response stream is not finished.');
  } catch (error) {
    logError('Invoke Error', error);
    await fail(error);
  }
  await response();
}

// --- invocations ------------------------------------------------------------------------------

function parsedHeader(headers, name) {
  const text = headers[name];
  if (!text) return undefined;
  try {
    return JSON.parse(Buffer.from(text, 'latin1').toString('utf8'));
  } catch (error) {
    throw new RuntimeFault('Runtime.PlatformError', `Failed to parse ${name} as JSON: ${error.message}`);
  }
}

function makeContext(headers) {
  const deadline = parseInt(headers['lambda-runtime-deadline-ms'], 10);
  const env = process.env;
  const trace = headers['lambda-runtime-trace-id'];
  if (trace) env._X_AMZN_TRACE_ID = trace;
  else delete env._X_AMZN_TRACE_ID;
  return {
    clientContext: parsedHeader(headers, 'lambda-runtime-client-context'),
    identity: parsedHeader(headers, 'lambda-runtime-cognito-identity'),
    invokedFunctionArn: headers['lambda-runtime-invoked-function-arn'],
    awsRequestId: headers['lambda-runtime-aws-request-id'],
    tenantId: headers['lambda-runtime-aws-tenant-id'],
    xRayTraceId: trace,
    getRemainingTimeInMillis: () => deadline - Date.now(),
    functionName: env.AWS_LAMBDA_FUNCTION_NAME,
    functionVersion: env.AWS_LAMBDA_FUNCTION_VERSION,
    memoryLimitInMB: env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: env.AWS_LAMBDA_LOG_STREAM_NAME,
    callbackWaitsForEmptyEventLoop: true,
  };
}

let settleAtExit = null; // of the running callback-style invocation

// The handler's result: what it returned, promised, or gave to its callback. A callback-style
// result waits until the event loop is empty, unless the context says otherwise.
function runHandler(handler, event, context) {
  return new Promise((resolve, reject) => {
    let given = null; // [error, result] of the callback
    const settle = () => {
      settleAtExit = null;
      if (given && given[0] !== null && given[0] !== undefined) reject(given[0]);
      else resolve(given?.[1]);
    };
    const callback = (error, result) => {
      if (given) return;
      given = [error, result];
      if (!context.callbackWaitsForEmptyEventLoop) setImmediate(settle);
    };
    context.done = (error, result) => {
      context.callbackWaitsForEmptyEventLoop = false;
      callback(error, result);
    };
    context.succeed = (result) => context.done(null, result);
    context.fail = (error) => context.done(error === undefined || error === null ? 'handled' : error);
    settleAtExit = settle; // no more work: the event loop is empty, with or without a callback
    let returned;
    try {
      returned = handler(event, context, callback);
    } catch (error) {
      settleAtExit = null;
      return reject(error);
    }
    if (typeof returned?.then === 'function') {
      settleAtExit = given ? settleAtExit : null;
      returned.then(
        (result) => {
          if (given) return;
          settleAtExit = null;
          resolve(result);
        },
        (error) => {
          settleAtExit = null;
          reject(error);
        });
    } else if (generation() >= 24) {
      settleAtExit = null;
      resolve(returned); // older runtimes ignore what a handler returns that is not a promise
    }
  });
}

// While an event is handled the kept socket does not count as work: an empty event loop is how a
// callback-style handler is known to be done.
async function handle(api, handler, response) {
  const context = makeContext(response.headers);
  current.requestId = context.awsRequestId;
  current.tenantId = context.tenantId;
  const path = `invocation/${context.awsRequestId}`;
  try {
    const event = JSON.parse(response.body);
    if (handler[STREAMING]) {
      await invokeStreaming(api, handler, event, context);
      return undefined;
    }
    api.socket?.unref();
    const result = await runHandler(handler, event, context);
    return api.postRequest(`${path}/response`, serialize(result), 'Content-Type: application/json\r\n');
  } catch (error) {
    logError('Invoke Error', error);
    const described = describe(error);
    return api.postRequest(`${path}/error`, JSON.stringify(described), errorHeaders(described, intoError(error)));
  } finally {
    api.socket?.ref();
  }
}

function serialize(value) {
  try {
    return JSON.stringify(value === undefined ? null : value) ?? 'null';
  } catch {
    throw new RuntimeFault('Runtime.JSONStringifyError', 'Unable to stringify response body');
  }
}

// An error nobody caught ends the process; the event it belongs to is answered first.
function watchForUncaught(api) {
  let dying = false;
  const die = async (error, code) => {
    if (dying) return;
    dying = true;
    try {
      const described = describe(error);
      const id = current.requestId;
      if (id) {
        await api.post(`invocation/${id}/error`, JSON.stringify(described), errorHeaders(described, error));
      } else {
        await api.post('init/error', JSON.stringify(described), errorHeaders(described));
      }
    } finally {
      process.exit(code);
    }
  };
  process.on('uncaughtException', (error) => {
    logError('Uncaught Exception', error);
    die(intoError(error), 129);
  });
  process.on('unhandledRejection', (reason, promise) => {
    const error = new RuntimeFault('Runtime.UnhandledPromiseRejection',
      reason instanceof Error ? reason.toString() : String(reason));
    error.reason = reason;
    error.promise = promise;
    logError('Unhandled Promise Rejection', error);
    die(error, 128);
  });
  process.on('beforeExit', () => {
    if (settleAtExit) settleAtExit();
    else if (current.requestId && !dying) {
      // A promise that nothing will ever settle: as AWS, the event is answered with null.
      abandoned?.();
    }
  });
}
let abandoned = null;

async function serve(api, handler) {
  let answer;
  for (;;) {
    const response = await api.next(answer);
    const given = new Promise((resolve) => {
      abandoned = () => {
        const id = current.requestId;
        resolve(api.postRequest(`invocation/${id}/response`, 'null', 'Content-Type: application/json\r\n'));
        api.socket?.ref();
      };
    });
    answer = await Promise.race([handle(api, handler, response), given]);
    abandoned = null;
  }
}

async function main() {
  if (isHeld()) takeAssignment();
  const own = new URL('.', import.meta.url).pathname;
  runtimeDir = own.replace(/\/$/, '');
  process.argv.length = 2;
  arrangePaths();
  patchConsole();
  setUpGlobals();
  try {
    process.chdir(process.env.LAMBDA_TASK_ROOT ?? '/var/task');
  } catch {
    // loading the handler will say what is missing
  }
  const api = new Api(process.env.AWS_LAMBDA_RUNTIME_API);
  watchForUncaught(api);
  let handler;
  try {
    handler = await loadHandler(process.env._HANDLER ?? '');
  } catch (error) {
    logError('Init Error', error);
    const described = describe(error);
    await api.post('init/error', JSON.stringify(described), errorHeaders(described));
    process.exit(1);
  }
  await serve(api, handler);
}

main();
