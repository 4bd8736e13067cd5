/** The app's server, as the platform starts it. */
import { context, createServer, getServerPort, redis, settings } from '@devvit/web/server';
import type { IncomingMessage } from 'node:http';
import { json } from 'node:stream/consumers';

import config from '../devvit.json';
import { handle, type Platform, type Reply } from './app';

function platform(): Platform {
  return {
    redis,
    setting: (name) => settings.get(name),
    community: context.subredditName,
    fetch: globalThis.fetch,
    log: (level, event, fields) => console[level](JSON.stringify({ event, ...fields })),
    domains: config.permissions.http.domains,
  };
}

async function answer(request: IncomingMessage): Promise<Reply> {
  const [path = '/'] = (request.url ?? '/').split('?', 1);
  // What is no JSON is a request that says nothing.
  return handle(path, await json(request).catch(() => undefined), platform());
}

createServer(async (request, response) => {
  const { status, body } = await answer(request).catch((): Reply => ({ status: 500, body: {} }));
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}).listen(getServerPort());
