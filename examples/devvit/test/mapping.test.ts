import { describe, expect, test } from 'vitest';

import type { CommentEvent } from '../src/events';
import * as ids from '../src/ids';
import { eventOf, type Context, type Trigger } from '../src/mapping';
import { wrong } from './schemas';
import { created, CREATED_MS, deleted, edited, random, reported } from './support';

const SOURCE = 'https://www.reddit.com';
const NOW = '2026-01-05T11:00:00.000Z';
const context: Context = { source: SOURCE, community: 'fallback', now: new Date(NOW) };

function event(trigger: Trigger, request: unknown): CommentEvent {
  const mapped = eventOf(trigger, request, context);
  if ('skipped' in mapped) throw new Error(`skipped: ${mapped.skipped}`);
  expect(wrong(mapped.event)).toEqual([]);
  return mapped.event;
}

/** The data of a comment that was created with these fields. */
function data(fields: Parameters<typeof created>[0]): Record<string, unknown> {
  return event('created', created(fields)).data as unknown as Record<string, unknown>;
}

describe('what the platform says', () => {
  test('a comment', () => {
    expect(event('created', created())).toEqual({
      specversion: '1.0',
      id: ids.comment(SOURCE, 'k3f9a01', ids.textVersion('You are **wrong**.')),
      source: SOURCE,
      type: 'modstream.comment.v1',
      time: '2026-01-05T09:59:00.000Z',
      data: {
        id: 'k3f9a01',
        body: 'You are **wrong**.',
        author: 'maja',
        subreddit: 'science',
        created_utc: 1_767_607_140,
        link_id: 't3_1abc',
        parent_id: 't1_k3f9a00',
        permalink: '/r/science/comments/1abc/title/k3f9a01/',
      },
    });
  });

  test('an edit has the time of the edit and a hash of the text as its version', () => {
    const version = ids.editVersion(1_767_607_200, 'You are mistaken.');
    const said = event('edited', edited());
    expect(said).toMatchObject({
      id: ids.comment(SOURCE, 'k3f9a01', version),
      type: 'modstream.comment-edited.v1',
      time: '2026-01-05T10:00:00.000Z',
      data: { version, comment: { id: 'k3f9a01', body: 'You are mistaken.', edited: 1_767_607_200, author: 'maja' } },
    });
  });

  test('a deletion names who deleted it', () => {
    expect(event('deleted', deleted())).toEqual({
      specversion: '1.0',
      id: ids.commentDeleted(SOURCE, 'k3f9a01'),
      source: SOURCE,
      type: 'modstream.comment-deleted.v1',
      time: '2026-01-05T10:05:00.000Z',
      data: { id: 'k3f9a01', subreddit: 'science', by: 'author' },
    });
    const by = (source: unknown) => event('deleted', { ...deleted(), source }).data;
    // As numbers and as names, as the platform's types and its JSON have them.
    const all = [0, 1, 2, 3, -1, 'USER', 'MODERATOR', 'ADMIN', 'UNKNOWN_EVENT_SOURCE', null, undefined, {}, 'user'];
    expect(all.map((source) => (by(source) as { by: string }).by)).toEqual([
      ...['unknown', 'author', 'unknown', 'moderator', 'unknown', 'author', 'moderator'],
      ...Array<string>(6).fill('unknown'),
    ]);
  });

  test('a report has its reason, and nobody who reported', () => {
    expect(event('reported', reported())).toMatchObject({
      type: 'modstream.comment-reported.v1',
      time: NOW,
      data: { id: 'k3f9a01', subreddit: 'science', reason: 'Be kind' },
    });
    expect(event('reported', reported({}, '')).data).toEqual({ id: 'k3f9a01', subreddit: 'science' });
  });
});

describe('a repeat is one, and what is another is none', () => {
  const id = (trigger: Trigger, request: unknown) => event(trigger, request).id;

  test('the same request has the same id, whenever it comes', () => {
    const later = { ...context, now: new Date('2026-01-06T00:00:00Z') };
    const requests: [Trigger, unknown][] = [
      ['created', created()],
      ['edited', edited()],
      ['deleted', deleted()],
      ['reported', reported()],
    ];
    for (const [trigger, request] of requests) {
      expect(eventOf(trigger, request, later)).toMatchObject({ event: { id: id(trigger, request) } });
    }
    // `modstream serve` knows a deletion by its time, too.
    expect(eventOf('deleted', deleted(), later)).toEqual(eventOf('deleted', deleted(), context));
  });

  test('texts, edits of one text, edits of one second, and reports are told apart', () => {
    const all = [
      id('created', created()),
      id('created', created({ body: 'other' })),
      id('created', created({ id: 't1_other' })),
      id('edited', edited()),
      id('edited', edited({ body: 'other' })),
      id('edited', edited({ lastModifiedAt: CREATED_MS + 120_000 })),
      id('deleted', deleted()),
      id('reported', reported()),
      id('reported', reported({ numReports: 2 })),
      id('reported', reported({}, 'Spam')),
    ];
    expect(new Set(all).size).toBe(all.length);
  });

  test('a number of votes more is the same comment', () => {
    expect(event('created', created({ score: 9, upvotes: 9 }))).toEqual(event('created', created()));
  });
});

describe('what says nothing', () => {
  test('ids come with and without what they are ids of', () => {
    expect(data({ id: 'k3f9a01' })).toEqual(data({ id: 't1_k3f9a01' }));
    expect(data({ id: ' T1_K3F9A01 ' })['id']).toBe('k3f9a01');
    for (const id of [
      '',
      't1_',
      't3_1abc',
      'a b',
      'k3f9a01/..',
      '../../x',
      'é',
      'a'.repeat(30),
      7,
      null,
      undefined,
      {},
    ]) {
      expect(eventOf('created', created({ id: id as string }), context)).toEqual({ skipped: 'no_id' });
      expect(eventOf('deleted', deleted({ commentId: id as string }), context)).toEqual({ skipped: 'no_id' });
      expect(eventOf('reported', reported({ id: id as string }), context)).toEqual({ skipped: 'no_id' });
    }
  });

  test('a request without a comment is none, whatever it is', () => {
    for (const request of [
      undefined,
      null,
      0,
      '',
      'text',
      [],
      {},
      { comment: null },
      { comment: [] },
      { comment: 'x' },
    ]) {
      for (const trigger of ['created', 'edited', 'deleted', 'reported'] as const) {
        expect(eventOf(trigger, request, context)).toEqual({ skipped: 'no_id' });
      }
    }
  });

  test('an account that is gone has no name', () => {
    for (const name of ['', '[deleted]', '[redacted]', ' ', 'a b', undefined, null, 7]) {
      const request = { ...created(), author: { ...created().author, name } };
      expect(event('created', request).data).not.toHaveProperty('author');
    }
    expect(event('created', { ...created(), author: undefined }).data).not.toHaveProperty('author');
  });

  test('a community that is not named is the one that the app works in', () => {
    for (const subreddit of [undefined, null, {}, { name: '' }, { name: 'a b' }, { name: 7 }]) {
      expect(event('created', { ...created(), subreddit }).data).toHaveProperty('subreddit', 'fallback');
      expect(event('deleted', { ...deleted(), subreddit }).data).toHaveProperty('subreddit', 'fallback');
    }
    const named = { ...created(), subreddit: { ...created().subreddit, name: 'r/science' } };
    expect(event('created', named).data).toHaveProperty('subreddit', 'science');
    const nowhere = eventOf('created', { ...created(), subreddit: undefined }, { ...context, community: undefined });
    expect(nowhere).not.toHaveProperty('event.data.subreddit');
  });

  test('a time is seconds, milliseconds or ISO 8601, or none', () => {
    const at = (createdAt: unknown) => data({ createdAt: createdAt as number })['created_utc'];
    const seconds = 1_767_607_140;
    const forms = [seconds, seconds + 0.9, seconds * 1e3, seconds * 1e6, seconds * 1e9, `${seconds}`, `${seconds}000`];
    for (const time of [...forms, '2026-01-05T09:59:00Z', '2026-01-05T10:59:00.999+01:00']) {
      expect([time, at(time)]).toEqual([time, seconds]);
    }
    for (const time of [
      0,
      -1,
      NaN,
      Infinity,
      1e30,
      '',
      'soon',
      '9'.repeat(30),
      '99999-01-01T00:00:00Z',
      '9999-12-31T23:59:59-12:00',
      null,
      {},
      true,
    ]) {
      expect([time, at(time)]).toEqual([time, undefined]);
      expect(event('created', created({ createdAt: time as number })).time).toBe(NOW);
      expect(event('deleted', { ...deleted(), deletedAt: time }).time).toBe(NOW);
    }
  });

  test('an edit without a time of its own has a hash of its text as its version', () => {
    for (const lastModifiedAt of [0, -1, CREATED_MS - 5000, NaN, undefined]) {
      const said = event('edited', edited({ lastModifiedAt: lastModifiedAt as number }));
      expect(said).toMatchObject({ time: NOW, data: { version: ids.textVersion('You are mistaken.') } });
      expect(said).not.toHaveProperty('data.comment.edited');
    }
  });

  test('a path is of Reddit, or none', () => {
    const path = '/r/science/comments/1abc/title/k3f9a01/';
    for (const permalink of [path, `https://www.reddit.com${path}`, `https://reddit.com${path}`]) {
      expect(data({ permalink })['permalink']).toBe(path);
    }
    for (const permalink of ['', 'x', '//evil.example/', 'https://evil.example/', 'javascript:alert(1)', '/a b']) {
      expect(data({ permalink })).not.toHaveProperty('permalink');
    }
  });
});

describe('texts', () => {
  test('a text goes as it is', () => {
    const texts = [
      'a',
      ' a\n',
      'a\u0000',
      'a\u2028b',
      '"\\',
      '<b>&amp;',
      '[removed by my mom]',
      'e\u0301',
      '\ufffe',
      '[removed] why?',
    ];
    for (const body of texts) {
      expect(data({ body })['body']).toBe(body);
    }
    expect(data({ body: 'a\ud83d' })['body']).toBe('a\ufffd');
  });

  test('40 kB are a comment, and more than Reddit has are none', () => {
    expect(data({ body: 'x'.repeat(40_000) })['body']).toHaveLength(40_000);
    expect(data({ body: '😀'.repeat(10_000) })['body']).toHaveLength(20_000);
    expect(data({ body: '\u0001'.repeat(10_000) })['body']).toHaveLength(10_000);
    expect(eventOf('created', created({ body: 'x'.repeat(200_000) }), context)).toEqual({ skipped: 'too_large' });
    expect(eventOf('reported', reported({}, 'x'.repeat(200_000)), context)).toEqual({ skipped: 'too_large' });
  });

  test('no text is no comment, and may be an edit', () => {
    for (const body of ['', '  \n', undefined, null, 7, {}]) {
      expect(eventOf('created', created({ body: body as string }), context)).toEqual({ skipped: 'no_text' });
    }
    expect(event('edited', edited({ body: '' }))).toMatchObject({ data: { comment: { body: '' } } });
    expect(eventOf('edited', edited({ body: undefined as unknown as string }), context)).toEqual({
      skipped: 'no_text',
    });
  });

  test('what stands in place of a text is neither', () => {
    for (const body of ['[removed]', ' [deleted]\n', '[ Removed by Reddit ]', '\\[removed\\]', '[deleted by user]']) {
      expect(eventOf('created', created({ body }), context)).toEqual({ skipped: 'placeholder' });
      expect(eventOf('edited', edited({ body }), context)).toEqual({ skipped: 'placeholder' });
    }
  });
});

test('whatever stands in whichever field, nothing is thrown, and what comes out is an event', () => {
  const next = random(20260105);
  const junk: unknown[] = [
    undefined,
    null,
    true,
    0,
    -1,
    1e308,
    NaN,
    '',
    ' ',
    '\ud800',
    'x'.repeat(5000),
    '2026',
    [],
    {},
    [[]],
    { name: 1 },
  ];
  junk.push(
    't1_k3f9a01',
    't3_1abc',
    '/r/x',
    '0x10',
    '[deleted]',
    { toString: 1 },
    { valueOf: null },
    Symbol('x'),
    7n,
    () => 1,
  );
  const any = <T>(of: readonly T[]): T => of[Math.floor(next() * of.length)] as T;
  const spoil = (value: unknown, depth: number): unknown => {
    if (next() < 0.15) return any(junk);
    if (typeof value !== 'object' || value === null || depth > 2) return value;
    return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, spoil(field, depth + 1)]));
  };
  const requests: [Trigger, unknown][] = [
    ['created', created()],
    ['edited', edited()],
    ['deleted', deleted()],
    ['reported', reported()],
  ];
  let events = 0;
  const bad: unknown[] = [];
  for (let round = 0; round < 3_000; round++) {
    const [trigger, request] = any(requests);
    const mapped = eventOf(trigger, spoil(request, 0), context);
    if ('skipped' in mapped) continue;
    events += 1;
    const isWhole = JSON.stringify(mapped.event).isWellFormed();
    if (!isWhole || wrong(mapped.event).length > 0) bad.push(mapped.event);
  }
  expect(bad).toEqual([]);
  expect(events).toBeGreaterThan(500);
});
