/** What stands in for the platform and the front door in tests. */
import type {
  CommentV2,
  OnCommentCreateRequest,
  OnCommentDeleteRequest,
  OnCommentReportRequest,
  OnCommentUpdateRequest,
  SubredditV2,
  UserV2,
} from '@devvit/web/shared';

import { isDeletion, type CommentEvent } from '../src/events';
import type { FrontDoor } from '../src/front-door';
import type { Redis } from '../src/outbox';

/** A clock that goes when it is told to. */
export class Clock {
  constructor(private ms = Date.parse('2026-01-05T10:00:00Z')) {}

  readonly now = (): number => this.ms;

  pass(seconds: number): void {
    this.ms += seconds * 1000;
  }
}

/** The process is gone: before a call has had its effect, or behind it. */
export class Crash extends Error {}

/** Ends the process at one of its calls. */
export class Fault {
  /** How many calls there were. */
  calls = 0;

  constructor(
    private readonly at = Infinity,
    private readonly when: 'before' | 'after' = 'before',
  ) {}

  async around<T>(call: () => T | Promise<T>): Promise<T> {
    const isHere = this.calls++ === this.at;
    // Other requests take their turn here, as they do while a call is on its way.
    await Promise.resolve();
    if (isHere && this.when === 'before') throw new Crash('before');
    const result = await call();
    if (isHere) throw new Crash('after');
    return result;
  }
}

/** The data of a redis, which outlives who uses it. */
export class Data {
  readonly sets = new Map<string, Map<string, number>>();
  readonly hashes = new Map<string, Map<string, number>>();
  readonly texts = new Map<string, { value: string; until: number }>();

  constructor(readonly clock: Clock) {}

  set(key: string): Map<string, number> {
    return this.of(this.sets, key);
  }

  hash(key: string): Map<string, number> {
    return this.of(this.hashes, key);
  }

  text(key: string): string | undefined {
    const found = this.texts.get(key);
    return found !== undefined && found.until > this.clock.now() ? found.value : undefined;
  }

  private of(maps: Map<string, Map<string, number>>, key: string): Map<string, number> {
    const found = maps.get(key) ?? new Map<string, number>();
    maps.set(key, found);
    return found;
  }
}

/** A redis in memory, as far as the app uses one. */
export function redisOf(data: Data, fault = new Fault()): Redis {
  const sorted = (key: string) => [...data.set(key)].sort(([, one], [, other]) => one - other);
  return {
    del: (...keys) =>
      fault.around(() => {
        for (const key of keys) data.texts.delete(key);
      }),
    get: (key) => fault.around(() => data.text(key)),
    hGetAll: (key) =>
      fault.around(() => Object.fromEntries([...data.hash(key)].map(([field, value]) => [field, String(value)]))),
    hIncrBy: (key, field, value) =>
      fault.around(() => {
        const sum = (data.hash(key).get(field) ?? 0) + value;
        data.hash(key).set(field, sum);
        return sum;
      }),
    incrBy: (key, value) =>
      fault.around(() => {
        const sum = Number(data.text(key) ?? 0) + value;
        data.texts.set(key, { value: String(sum), until: Infinity });
        return sum;
      }),
    set: (key, value, options) =>
      fault.around(() => {
        if (options?.nx && data.text(key) !== undefined) return '';
        data.texts.set(key, { value, until: options?.expiration?.getTime() ?? Infinity });
        return 'OK';
      }),
    zAdd: (key, ...members) =>
      fault.around(() => {
        for (const { member, score } of members) data.set(key).set(member, score);
        return members.length;
      }),
    zCard: (key) => fault.around(() => data.set(key).size),
    zRange: (key, start, stop) =>
      fault.around(() =>
        sorted(key)
          .slice(Number(start), Number(stop) + 1)
          .map(([member, score]) => ({ member, score })),
      ),
    zRem: (key, members) => fault.around(() => members.filter((member) => data.set(key).delete(member)).length),
  };
}

export const FRONT_DOOR: FrontDoor = { url: new URL('https://modstream.example.com/v1/comments'), key: 'ms_1_a' };

type Fetch = typeof globalThis.fetch;

/** A front door that knows repeats by their ids, and does what it is told beside. */
export class Door {
  /** What it has, in the order in which it came. */
  readonly has: CommentEvent[] = [];
  /** How many requests there were. */
  requests = 0;
  /** What it answers instead. */
  instead: ((events: CommentEvent[]) => Response | undefined | Promise<Response | undefined>) | undefined;
  /** Events that it does not take. */
  isRefused: (event: CommentEvent) => boolean = () => false;

  fetch(fault = new Fault()): Fetch {
    return ((_url, init) => fault.around(() => this.answer(JSON.parse(String(init?.body)) as CommentEvent[]))) as Fetch;
  }

  private async answer(events: CommentEvent[]): Promise<Response> {
    this.requests += 1;
    const instead = await this.instead?.(events);
    if (instead !== undefined) return instead;
    const refused: { line: number; reason: string; detail: string }[] = [];
    const ids: string[] = [];
    let repeated = 0;
    events.forEach((event, index) => {
      if (this.isRefused(event)) {
        refused.push({ line: index + 1, reason: 'too_large', detail: 'it is too large' });
        return;
      }
      ids.push(event.id);
      // As `modstream serve` knows events: a deletion by its time, too.
      const isKnown = this.has.some(
        (known) => known.id === event.id && (known.time === event.time || !isDeletion(event)),
      );
      if (isKnown) repeated += 1;
      else this.has.push(event);
    });
    const body = JSON.stringify({ accepted: ids.length, repeated, ids, refused });
    return new Response(body, { status: ids.length === 0 ? 400 : 202 });
  }
}

/** The same numbers in every run. */
export function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32;
    return state / 2 ** 32;
  };
}

export const CREATED_MS = Date.parse('2026-01-05T09:59:00.250Z');

export function comment(fields: Partial<CommentV2> = {}): CommentV2 {
  return {
    id: 't1_k3f9a01',
    parentId: 't1_k3f9a00',
    body: 'You are **wrong**.',
    author: 't2_a1',
    numReports: 0,
    collapsedBecauseCrowdControl: false,
    spam: false,
    deleted: false,
    createdAt: CREATED_MS,
    upvotes: 1,
    downvotes: 0,
    languageCode: 'en',
    lastModifiedAt: CREATED_MS,
    gilded: false,
    score: 1,
    permalink: '/r/science/comments/1abc/title/k3f9a01/',
    hasMedia: false,
    postId: 't3_1abc',
    subredditId: 't5_mouw',
    elementTypes: [],
    mediaUrls: [],
    ...fields,
  };
}

export const AUTHOR: UserV2 = {
  id: 't2_a1',
  name: 'maja',
  isGold: false,
  snoovatarImage: '',
  url: '',
  spam: false,
  banned: false,
  karma: 7,
  iconImage: '',
  description: '',
  suspended: false,
  accountType: 1,
};

export const SUBREDDIT: SubredditV2 = {
  id: 't5_mouw',
  name: 'science',
  nsfw: false,
  type: 5,
  spam: false,
  quarantined: false,
  topics: [],
  rating: 1,
  subscribersCount: 1,
  permalink: '/r/science/',
  title: '',
  description: '',
};

export function created(fields: Partial<CommentV2> = {}): OnCommentCreateRequest {
  return { type: 'CommentCreate', comment: comment(fields), author: AUTHOR, subreddit: SUBREDDIT };
}

export function edited(fields: Partial<CommentV2> = {}): OnCommentUpdateRequest {
  const later = { lastModifiedAt: CREATED_MS + 60_000, body: 'You are mistaken.', ...fields };
  return {
    type: 'CommentUpdate',
    comment: comment(later),
    author: AUTHOR,
    subreddit: SUBREDDIT,
    previousBody: 'You are **wrong**.',
  };
}

export function deleted(fields: Partial<OnCommentDeleteRequest> = {}): OnCommentDeleteRequest {
  return {
    type: 'CommentDelete',
    commentId: 't1_k3f9a01',
    postId: 't3_1abc',
    parentId: 't3_1abc',
    deletedAt: '2026-01-05T10:05:00.000Z',
    source: 1,
    reason: 0,
    subreddit: SUBREDDIT,
    ...fields,
  };
}

export function reported(fields: Partial<CommentV2> = {}, reason = 'Be kind'): OnCommentReportRequest {
  return { type: 'CommentReport', comment: comment({ numReports: 1, ...fields }), subreddit: SUBREDDIT, reason };
}
