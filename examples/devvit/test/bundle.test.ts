/** What is uploaded: one file that a Node.js without packages starts. */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';

import config from '../devvit.json';

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'modstream-devvit-'));
let server: ChildProcess;
let address: string;

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return port;
}

beforeAll(async () => {
  execFileSync('npm', ['run', '--silent', 'bundle'], { cwd: root });
  // Beside no node_modules, and beside no package.json.
  const bundle = join(folder, config.server.entry);
  copyFileSync(join(root, config.server.dir, config.server.entry), bundle);
  const port = await freePort();
  address = `http://127.0.0.1:${port}`;
  server = spawn(process.execPath, [bundle], {
    cwd: folder,
    env: { PATH: process.env['PATH'], WEBBIT_PORT: String(port) },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const answers = () =>
    answer('/', '').then(
      () => true,
      () => false,
    );
  await vi.waitUntil(answers, { timeout: 30_000 });
}, 60_000);

/** Which community a request is of: the platform's server takes none without it. */
const headers = { 'devvit-subreddit': 't5_mouw', 'devvit-subreddit-name': 'science' };

afterAll(async () => {
  server.kill('SIGKILL');
  await once(server, 'exit');
  rmSync(folder, { recursive: true });
});

async function answer(path: string, body: string): Promise<[number, unknown]> {
  const response = await fetch(address + path, { method: 'POST', headers, body });
  return [response.status, await response.json()];
}

test('it answers, whatever it is asked', async () => {
  const check = config.settings.global.frontDoor.validationEndpoint;
  const value = `https://${config.permissions.http.domains[0] ?? ''}`;
  expect(await answer(check, JSON.stringify({ value, isEditing: false }))).toEqual([200, { success: true }]);
  for (const body of ['', '{', 'null', '[]', '"x"', `{"value":"${'x'.repeat(2_000_000)}"}`]) {
    expect(await answer(check, body)).toMatchObject([200, { success: false }]);
  }
  expect(await answer('/internal/other', '{}')).toEqual([404, {}]);
  expect(await answer('//', '{}')).toEqual([404, {}]);
});

test('without the platform no trigger passes for kept', async () => {
  const [status] = await answer(config.triggers.onCommentDelete, '{"commentId":"t1_a"}');
  expect(status).toBe(500);
});
