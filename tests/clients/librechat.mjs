// Calls LibreChat's own client library: a JSON command a line on standard input, a JSON answer a line on standard output.
//
//   {"id": 1, "call": "dataService.login", "arguments": [{"email": "…", "password": "…"}]}
//   {"id": 1, "value": {…}}                              what the library gave
//   {"id": 1, "status": 401, "body": {…}}                what it was refused with
//   {"event": "tokenUpdated"}  {"event": "navigation", "to": "/login"}
//
// The library is used as it is published. It wants a browser around it: a window, and requests that carry cookies.
// This gives it both, and nothing else.
import { createInterface } from 'node:readline';
import axios from 'axios';

const origin = process.argv[2];

const say = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);

class Storage {
  #items = new Map();
  getItem = (name) => this.#items.get(name) ?? null;
  setItem = (name, value) => this.#items.set(name, value);
  removeItem = (name) => this.#items.delete(name);
}

class Location {
  origin = origin;
  pathname = '/c/new';
  search = '';
  hash = '';
  set href(to) {
    say({ event: 'navigation', to });
  }
}

class CookieJar {
  #cookies = new Map();

  keep(lines) {
    for (const line of lines ?? []) {
      const [pair, ...attributes] = line.split(';').map((part) => part.trim());
      const [name, value] = [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)];
      const said = new Map(attributes.map((attribute) => attribute.split('=')).map(([key, text]) => [key.toLowerCase(), text]));
      if (Number(said.get('max-age') ?? 1) <= 0) {
        this.#cookies.delete(name);
      } else {
        this.#cookies.set(name, { value, path: said.get('path') });
      }
    }
  }

  // RFC 6265, section 5.1.4.
  header(pathname) {
    const reached = ({ path }) => pathname === path || pathname.startsWith(path.endsWith('/') ? path : `${path}/`);
    const sent = [...this.#cookies].filter(([, cookie]) => reached(cookie));
    return sent.map(([name, { value }]) => `${name}=${value}`).join('; ');
  }
}

globalThis.window = Object.assign(new EventTarget(), { localStorage: new Storage(), location: new Location(), atob });
window.addEventListener('tokenUpdated', () => say({ event: 'tokenUpdated' }));

// What a browser adds to a request of a page's own script, and keeps of the answer.
const jar = new CookieJar();
const send = axios.getAdapter('http');
axios.defaults.baseURL = origin;
axios.defaults.proxy = false;
axios.defaults.adapter = async (config) => {
  config.headers.set('Sec-Fetch-Site', 'same-origin');
  if (config.method !== 'get') {
    config.headers.set('Origin', origin);
  }
  const cookies = jar.header(new URL(axios.getUri(config)).pathname);
  config.headers.set('Cookie', cookies || null);
  try {
    const response = await send(config);
    jar.keep(response.headers['set-cookie']);
    return response;
  } catch (error) {
    jar.keep(error.response?.headers['set-cookie']);
    throw error;
  }
};

// Only now: the library looks for the window when it is loaded.
const library = await import('librechat-data-provider');

async function answer({ id, call, arguments: given }) {
  const called = call.split('.').reduce((found, name) => found[name], library);
  try {
    return { id, value: (await called(...given)) ?? null };
  } catch (error) {
    if (!error.response) {
      throw error;
    }
    return { id, status: error.response.status, body: error.response.data };
  }
}

createInterface({ input: process.stdin }).on('line', async (line) => say(await answer(JSON.parse(line))));
