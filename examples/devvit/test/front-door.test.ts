import { describe, expect, test } from 'vitest';

import { answerOf, post } from '../src/front-door';
import { eventOf } from '../src/mapping';
import { commentsUrl, keyOf, problem } from '../src/settings';
import { created, Door, FRONT_DOOR } from './support';

const context = { source: 'urn:x', now: new Date() };
const mapped = eventOf('created', created(), context);
const event = 'event' in mapped ? mapped.event : undefined;
if (event === undefined) throw new Error('no event');

describe('what an answer says', () => {
  const taken = JSON.stringify({
    accepted: 2,
    repeated: 1,
    ids: ['a', 'b'],
    refused: [{ line: 3, reason: 'too_large', detail: '' }],
  });

  test('each event is taken, or is named', () => {
    expect(answerOf(202, null, taken, 3)).toEqual({
      kind: 'taken',
      repeated: 1,
      refused: [{ index: 2, reason: 'too_large' }],
    });
    const none = JSON.stringify({ accepted: 0, repeated: 0, ids: [], refused: [{ line: 1, reason: 'missing_body' }] });
    expect(answerOf(400, null, none, 1)).toEqual({
      kind: 'taken',
      repeated: 0,
      refused: [{ index: 0, reason: 'missing_body' }],
    });
  });

  test('an answer that does not say it of all events says nothing', () => {
    const bodies = [
      '',
      'OK',
      '<html>',
      '[]',
      'null',
      '{}',
      '{"ids":["a","b","c"]}',
      '{"ids":[],"refused":[]}',
      '{"ids":{},"refused":{}}',
    ];
    for (const body of [...bodies, taken.replace('"line":3', '"line":4'), taken.replace('"line":3', '"line":"3"')]) {
      expect(answerOf(202, null, body, 3)).toMatchObject({ kind: 'later' });
      expect(answerOf(400, null, body, 3)).toEqual({ kind: 'wrong', reason: 'status 400' });
    }
    expect(answerOf(202, null, taken, 2)).toMatchObject({ kind: 'later' });
    expect(answerOf(200, null, taken, 3)).toMatchObject({ kind: 'later' });
  });

  test('a status says whether the events are wrong, or it is not the time', () => {
    for (const status of [400, 413, 422]) expect(answerOf(status, null, '{}', 1).kind).toBe('wrong');
    for (const status of [200, 204, 301, 302, 307, 401, 403, 404, 405, 408, 415, 425, 429, 500, 502, 503, 504, 599]) {
      expect(answerOf(status, null, '', 1).kind).toBe('later');
    }
    expect(answerOf(401, null, '', 1)).toMatchObject({
      reason: expect.stringContaining('modstream key create') as string,
    });
  });

  test('it may say when to come again', () => {
    const seconds = (header: string | null) => answerOf(429, header, '', 1);
    expect(seconds('7')).toMatchObject({ seconds: 7 });
    expect(seconds(new Date(Date.now() + 60_000).toUTCString())).toHaveProperty('seconds');
    for (const header of [null, '', 'soon', '-1', '1e3', new Date(0).toUTCString()]) {
      expect(seconds(header)).not.toHaveProperty('seconds');
    }
  });
});

describe('a request', () => {
  test('is a batch of events, with the key where nobody else reads it', async () => {
    let seen: RequestInit | undefined;
    let where: unknown;
    const door = new Door();
    const answer = await post(FRONT_DOOR, [event], async (url, init) => {
      [where, seen] = [url, init];
      return door.fetch()(url, init);
    });
    expect(answer).toEqual({ kind: 'taken', repeated: 0, refused: [] });
    expect(String(where)).toBe('https://modstream.example.com/v1/comments');
    expect(seen).toMatchObject({
      method: 'POST',
      redirect: 'manual',
      headers: { 'content-type': 'application/cloudevents-batch+json', authorization: 'Bearer ms_1_a' },
    });
  });

  test('that gets no answer in time, or none at all, is for later', async () => {
    const never: typeof fetch = () => new Promise(() => undefined);
    expect(await post(FRONT_DOOR, [event], never, 5)).toEqual({ kind: 'later', reason: 'no answer within 0.005 s' });
    const fails: typeof fetch = () => Promise.reject(new TypeError('fetch failed'));
    expect(await post(FRONT_DOOR, [event], fails)).toEqual({ kind: 'later', reason: 'no connection: fetch failed' });
    const throws: typeof fetch = () => {
      throw new Error('Fetch is not enabled');
    };
    expect(await post(FRONT_DOOR, [event], throws)).toMatchObject({ kind: 'later' });
    const cut: typeof fetch = () =>
      Promise.resolve(
        new Response(new ReadableStream({ start: (stream) => stream.error(new Error('cut')) }), { status: 202 }),
      );
    expect(await post(FRONT_DOOR, [event], cut)).toEqual({ kind: 'later', reason: 'no connection: cut' });
  });
});

describe('settings', () => {
  const domains = ['modstream.example.com', 'other.example'];
  const url = (address: unknown) => String(commentsUrl(address, domains));

  test('an address is where comments go', () => {
    const comments = 'https://modstream.example.com/v1/comments';
    for (const address of ['', '/', '/v1/comments', '/v1/comments/']) {
      expect(url(` https://modstream.example.com${address} `)).toBe(comments);
    }
    expect(url('https://other.example/modstream/')).toBe('https://other.example/modstream/v1/comments');
  });

  test('what is wrong is said, with what to do', () => {
    const says = (address: unknown) => problem(() => commentsUrl(address, domains));
    for (const address of [undefined, '', ' ', 7]) expect(says(address)).toMatch(/missing.*devvit settings set/);
    for (const address of ['modstream.example.com', 'https://', 'x y']) expect(says(address)).toMatch(/no address/);
    for (const address of ['http://modstream.example.com', 'ftp://modstream.example.com'])
      expect(says(address)).toMatch(/https/);
    for (const rest of ['?key=ms_1_a', '#x'])
      expect(says(`https://modstream.example.com/${rest}`)).toMatch(/leave out/);
    expect(says('https://a:b@modstream.example.com')).toMatch(/leave out/);
    expect(says('https://elsewhere.example')).toMatch(/elsewhere\.example.*permissions\.http\.domains/);
    expect(says('https://modstream.example.com')).toBeUndefined();
    for (const key of [undefined, '', ' ', 7, 'a b', 'ä', 'a\nb']) {
      expect(problem(() => keyOf(key))).toMatch(/modstream key create --role send/);
    }
    expect(keyOf(' ms_1_a\n')).toBe('ms_1_a');
  });

  test('other errors are none of settings', () => {
    expect(() => problem(() => JSON.parse('{'))).toThrow(SyntaxError);
  });
});
