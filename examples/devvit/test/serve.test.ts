/**
 * The app against a real front door: `MODSTREAM_TEST_COMMAND` is the program `modstream`, which `cargo xtask test clients` has built.
 * Without it these tests are left out.
 */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { commentId, type CommentEvent } from '../src/events';
import { post, type Answer, type FrontDoor } from '../src/front-door';
import { eventOf, type Trigger } from '../src/mapping';
import { SOURCE } from '../src/source';
import { created, CREATED_MS, deleted, edited, reported } from './support';

const command = process.env['MODSTREAM_TEST_COMMAND'];

describe.skipIf(command === undefined)('a real front door', () => {
  const program = command ?? '';
  const folder = mkdtempSync(join(tmpdir(), 'modstream-devvit-'));
  const data = join(folder, 'data');
  let server: ChildProcess;
  let frontDoor: FrontDoor;

  beforeAll(async () => {
    const made = execFileSync(program, ['key', 'create', '--role', 'send', '--data', data, '--json']);
    const { key } = JSON.parse(made.toString()) as { key: string };
    const args = ['serve', '--data', data, '--listen', '127.0.0.1:0', '--json'];
    server = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    if (server.stdout === null) throw new Error('the server has no output');
    const [line] = (await once(createInterface(server.stdout), 'line')) as [string];
    const { listen } = JSON.parse(line) as { listen: string };
    frontDoor = { url: new URL(`http://${listen}/v1/comments`), key };
  });

  afterAll(async () => {
    server.kill('SIGTERM');
    await once(server, 'exit');
    rmSync(folder, { recursive: true });
  });

  function event(trigger: Trigger, request: unknown): CommentEvent {
    const mapped = eventOf(trigger, request, { source: SOURCE, now: new Date('2026-01-05T11:00:00Z') });
    if ('skipped' in mapped) throw new Error(mapped.skipped);
    return mapped.event;
  }

  const send = (...events: CommentEvent[]): Promise<Answer> => post(frontDoor, events, fetch);
  const taken = (repeated: number): Answer => ({ kind: 'taken', repeated, refused: [] });

  const LIFE: [Trigger, unknown][] = [
    ['created', created()],
    ['edited', edited()],
    ['reported', reported()],
    ['deleted', deleted()],
  ];

  test('takes a comment, its edit, a report and its deletion, and knows each again', async () => {
    const life = LIFE.map(([trigger, request]) => event(trigger, request));
    expect(await send(...life)).toEqual(taken(0));
    expect(await send(...life)).toEqual(taken(4));
    expect(
      await send(event('edited', edited({ body: 'again' })), event('reported', reported({ numReports: 2 }))),
    ).toEqual(taken(0));
  });

  test('takes what is odd, and names what is not taken', async () => {
    const texts = ['x'.repeat(40_000), '😀'.repeat(10_000), 'a\ud83d', 'a\u0000b', '\ufffe', '\u0001'.repeat(10_000)];
    const odd = texts.map((body, number) => event('created', created({ id: `t1_odd${number}`, body })));
    expect(await send(...odd)).toEqual(taken(0));
    expect(await send(event('edited', edited({ id: 't1_odd0', body: '' })))).toEqual(taken(0));
    const bad = { ...event('created', created({ id: 't1_bad' })), data: { id: 'bad' } } as unknown as CommentEvent;
    const good = event('created', created({ id: 't1_good' }));
    const refused = { kind: 'taken', refused: [{ index: 0, reason: 'missing_body' }] };
    expect(await send(bad, good)).toMatchObject(refused);
    expect(await send(bad)).toMatchObject(refused);
  });

  test('knows a comment of a dump as the one that the app sent', async () => {
    const sent = [event('created', created({ id: 't1_dump' })), event('edited', edited({ id: 't1_dump' }))];
    expect(await send(...sent)).toEqual(taken(0));
    const rows = [
      { id: 'dump', body: 'You are **wrong**.', created_utc: CREATED_MS / 1000 },
      {
        id: 'dump',
        body: 'You are mistaken.',
        created_utc: CREATED_MS / 1000,
        edited: Math.floor(CREATED_MS / 1000) + 60,
      },
    ];
    const url = new URL(frontDoor.url);
    url.searchParams.set('source', SOURCE);
    const headers = { 'content-type': 'application/x-ndjson', authorization: `Bearer ${frontDoor.key}` };
    const response = await fetch(url, {
      method: 'POST',
      headers,
      body: rows.map((row) => JSON.stringify(row)).join('\n'),
    });
    expect(await response.json()).toMatchObject({ repeated: 2, ids: sent.map(({ id }) => id), refused: [] });
  });

  test('lets nobody in without its key', async () => {
    const answer = await post({ ...frontDoor, key: 'ms_none' }, [event('created', created())], fetch);
    expect(answer).toMatchObject({ kind: 'later', reason: expect.stringContaining('status 401') as string });
  });

  test('judges what it took: the last word about a comment that is gone is that it is', () => {
    const args = ['tail', 'predictions', '--data', data, '--json', '--until-idle'];
    const lines = execFileSync(program, args, { maxBuffer: 1 << 26 })
      .toString()
      .trim()
      .split('\n');
    const events = lines.map(
      (line) => JSON.parse(line) as { type: string; data: { comment?: { id: string }; id?: string } },
    );
    const ofLife = events.filter(
      ({ data }) => (data.comment?.id ?? data.id) === commentId(event('created', created())),
    );
    expect(ofLife.map(({ type }) => type)).toEqual([
      'modstream.prediction.v1',
      'modstream.prediction.v1',
      'modstream.comment-reported.v1',
      'modstream.comment-deleted.v1',
      'modstream.prediction.v1',
      'modstream.comment-reported.v1',
    ]);
  });
});
