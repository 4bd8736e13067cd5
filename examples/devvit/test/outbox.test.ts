import { beforeEach, describe, expect, test } from 'vitest';

import { commentId, hasText, isDeletion, type CommentEvent } from '../src/events';
import { post } from '../src/front-door';
import { eventOf, type Trigger } from '../src/mapping';
import { Outbox, PAGE } from '../src/outbox';
import { Sender } from '../src/sender';
import {
  Clock,
  Crash,
  created,
  CREATED_MS,
  Data,
  deleted,
  Door,
  edited,
  Fault,
  FRONT_DOOR,
  random,
  redisOf,
  reported,
} from './support';

const SOURCE = 'https://www.reddit.com';

let clock: Clock;
let data: Data;
let door: Door;
let logged: string[];

beforeEach(() => {
  clock = new Clock();
  data = new Data(clock);
  door = new Door();
  logged = [];
});

function event(trigger: Trigger, request: unknown): CommentEvent {
  const mapped = eventOf(trigger, request, { source: SOURCE, now: new Date(clock.now()) });
  if ('skipped' in mapped) throw new Error(mapped.skipped);
  return mapped.event;
}

const numbered = (number: number) => event('created', created({ id: `t1_c${number}`, body: `text ${number}` }));

/** A process of the app: it may end at one of its calls. */
function app({ fault = new Fault(), maxWaiting }: { fault?: Fault; maxWaiting?: number } = {}) {
  const outbox = new Outbox(redisOf(data, fault), clock.now, maxWaiting);
  const send = (events: readonly CommentEvent[]) => post(FRONT_DOOR, events, door.fetch(fault));
  const log = (_level: string, name: string, fields: object) => logged.push(JSON.stringify({ name, ...fields }));
  return { outbox, sender: new Sender(outbox, send, log, clock.now) };
}

async function kept(...events: CommentEvent[]): Promise<void> {
  for (const event of events) await app().outbox.keep(event);
}

/** The job of every minute, until it has nothing to do; `minutes` bounds it. */
async function minutes(count: number): Promise<void> {
  for (let minute = 0; minute < count; minute++) {
    clock.pass(60);
    await app().sender.run();
  }
}

const ids = (events: CommentEvent[]) => events.map(({ id }) => id);

describe('an event is sent', () => {
  test('once, in its turn, and leaves the outbox', async () => {
    const all = Array.from({ length: 3 * PAGE + 1 }, (_, number) => numbered(number));
    await kept(...all);
    await app().sender.run();
    expect(ids(door.has)).toEqual(ids(all));
    expect(door.requests).toBe(4);
    expect(await app().outbox.waiting()).toBe(0);
    expect(await app().outbox.counts()).toMatchObject({ sent: all.length, repeated: 0, refused: 0 });
    await app().sender.run();
    expect(door.requests).toBe(4);
  });

  test('a trigger that comes twice is no second comment', async () => {
    await kept(event('created', created()));
    await app().sender.run();
    await kept(event('created', created()), event('edited', edited()), event('edited', edited()));
    await app().sender.run();
    expect(ids(door.has)).toEqual([event('created', created()).id, event('edited', edited()).id]);
    expect(await app().outbox.counts()).toMatchObject({ sent: 4, repeated: 2 });
  });

  test('by one of two that send at a time, with what came meanwhile', async () => {
    await kept(numbered(0));
    let first = true;
    door.instead = async () => {
      if (first) {
        first = false;
        // Another trigger comes while the first one's request is on its way.
        await kept(numbered(1));
        await app().sender.run();
      }
      return undefined;
    };
    await app().sender.run();
    expect(ids(door.has)).toEqual(ids([numbered(0), numbered(1)]));
    expect(door.requests).toBe(2);
  });

  test('at once where it comes when the one that sends has just found nothing left', async () => {
    await kept(numbered(0));
    const redis = redisOf(data);
    let first = true;
    const del: typeof redis.del = async (...keys) => {
      if (first && keys.includes('outbox:lease')) {
        first = false;
        await kept(numbered(1));
        await app().sender.run();
      }
      await redis.del(...keys);
    };
    const outbox = new Outbox({ ...redis, del }, clock.now);
    await new Sender(
      outbox,
      (events) => post(FRONT_DOOR, events, door.fetch()),
      () => undefined,
      clock.now,
    ).run();
    expect(ids(door.has)).toEqual(ids([numbered(0), numbered(1)]));
  });
});

describe('a front door that does not take it', () => {
  const answers: [string, () => Response | Promise<Response>][] = [
    ['is down', () => Promise.reject(new TypeError('fetch failed'))],
    ['is overloaded', () => new Response('', { status: 503, headers: { 'retry-after': '1' } })],
    ['has had too much', () => new Response('', { status: 429, headers: { 'retry-after': '30' } })],
    ['breaks', () => new Response('', { status: 500 })],
    ['is behind a proxy that says it is fine', () => new Response('<html>', { status: 200 })],
    ['is elsewhere', () => new Response('', { status: 404 })],
    ['does not know the key', () => new Response('{}', { status: 401 })],
    ['has moved', () => new Response('', { status: 308, headers: { location: 'https://evil.example' } })],
  ];

  test.each(answers)('since it %s, gets all of it later, in order', async (_name, answer) => {
    door.instead = answer;
    await kept(numbered(0), event('created', created()), event('edited', edited()));
    await app().sender.run();
    expect(door.requests).toBe(1);
    expect(await app().outbox.waiting()).toBe(3);
    expect(logged.join()).toContain('not_sent');
    // Triggers leave it alone meanwhile.
    await kept(numbered(1));
    await app().sender.run();
    expect(door.requests).toBe(1);
    door.instead = undefined;
    await minutes(2);
    expect(ids(door.has)).toEqual(
      ids([numbered(0), event('created', created()), event('edited', edited()), numbered(1)]),
    );
    expect(await app().outbox.counts()).toMatchObject({ sent: 4, refused: 0, dropped: 0 });
  });

  test('is asked less and less often, and as it says', async () => {
    const { outbox } = app();
    const pauses: number[] = [];
    for (let failure = 0; failure < 9; failure++) pauses.push(await outbox.pause('down'));
    expect(pauses).toEqual([15, 30, 60, 120, 240, 480, 900, 900, 900]);
    expect([await outbox.pause('busy', 5), await outbox.pause('busy', 0), await outbox.pause('busy', 1e9)]).toEqual([
      5, 1, 3600,
    ]);
    await outbox.works();
    expect(await outbox.pause('down')).toBe(15);
    expect(await outbox.paused()).toBe('down');
    clock.pass(16);
    expect(await outbox.paused()).toBeUndefined();
  });
});

describe('an event that is wrong', () => {
  const bad = (event: CommentEvent) => commentId(event) === 'c2';

  test('is not sent again where the front door names it, and costs no other', async () => {
    door.isRefused = bad;
    await kept(...[0, 1, 2, 3, 4].map(numbered));
    await app().sender.run();
    expect(ids(door.has)).toEqual(ids([0, 1, 3, 4].map(numbered)));
    expect(await app().outbox.counts()).toMatchObject({ sent: 4, refused: 1 });
    expect(await app().outbox.waiting()).toBe(0);
    // Nothing of it is in a log but its id.
    expect(logged).toEqual([expect.stringContaining(numbered(2).id)]);
    expect(logged.join()).not.toContain('text 2');
  });

  test('is found where the front door refuses all that comes with it', async () => {
    door.instead = (events) => (events.some(bad) ? new Response('', { status: 413 }) : undefined);
    await kept(...Array.from({ length: PAGE }, (_, number) => numbered(number)));
    await app().sender.run();
    expect(door.has).toHaveLength(PAGE - 1);
    expect(ids(door.has)).toEqual([...ids(door.has)].sort((one, other) => order(one) - order(other)));
    expect(await app().outbox.counts()).toMatchObject({ sent: PAGE - 1, refused: 1 });
  });

  const order = (id: string) => Array.from({ length: PAGE }, (_, number) => numbered(number).id).indexOf(id);
});

describe('what waits is bounded', () => {
  test('by the oldest, which are counted; deletions go last', async () => {
    const { outbox } = app({ maxWaiting: 3 });
    expect(await outbox.keep(event('deleted', deleted()))).toBe(0);
    const dropped: number[] = [];
    for (const number of [0, 1, 2, 3, 4]) dropped.push(await outbox.keep(numbered(number)));
    expect(dropped).toEqual([0, 0, 1, 1, 1]);
    expect(await outbox.counts()).toMatchObject({ dropped: 3 });
    await app().sender.run();
    expect(ids(door.has)).toEqual(ids([event('deleted', deleted()), numbered(3), numbered(4)]));
  });

  test('also where a lower bound comes to a full outbox', async () => {
    await kept(...Array.from({ length: 2 * PAGE + 5 }, (_, number) => numbered(number)));
    expect(await app({ maxWaiting: 2 }).outbox.keep(numbered(99))).toBe(2 * PAGE + 4);
    expect(await app().outbox.waiting()).toBe(2);
  });

  test('also where there are deletions alone', async () => {
    const { outbox } = app({ maxWaiting: 2 });
    for (const id of ['a', 'b', 'c', 'd']) await outbox.keep(event('deleted', deleted({ commentId: id })));
    await app().sender.run();
    expect(door.has.map(commentId)).toEqual(['c', 'd']);
  });
});

describe('a text that is deleted before it was sent', () => {
  test('is not sent any more, whoever deleted it and wherever it waits; its deletion is', async () => {
    const places = [PAGE - 1, PAGE, 2 * PAGE].flatMap((count) =>
      [0, 5, PAGE - 1].map((before) => [count, before] as const),
    );
    for (const [number, [count, before]] of places.entries()) {
      [data, door] = [new Data(clock), new Door()];
      const others = Array.from({ length: count }, (_, number) => numbered(number));
      await kept(...others.slice(0, before), event('created', created()), ...others.slice(before));
      await kept(
        event('edited', edited()),
        event('reported', reported()),
        event('deleted', deleted({ source: number % 4 })),
      );
      expect(await app().outbox.counts()).toMatchObject({ withdrawn: 2 });
      await app().sender.run();
      const rest = [...others, event('reported', reported()), event('deleted', deleted({ source: number % 4 }))];
      expect(ids(door.has)).toEqual(ids(rest));
    }
  });
});

/** What happens to some comments: each has a life in order, and the lives are mixed. */
function lives(seed: number): CommentEvent[] {
  const next = random(seed);
  const all = Array.from({ length: 3 }, (_, number) => {
    const id = `t1_l${number}`;
    const life = [event('created', created({ id, body: `first ${number}` }))];
    for (let edit = 1; edit <= Math.floor(next() * 3); edit++) {
      life.push(event('edited', edited({ id, body: `edit ${edit}`, lastModifiedAt: CREATED_MS + edit * 60_000 })));
    }
    if (next() < 0.5) life.push(event('reported', reported({ id })));
    if (next() < 0.5) life.push(event('deleted', deleted({ commentId: id, source: 3 })));
    return life;
  });
  const mixed: CommentEvent[] = [];
  while (all.some((life) => life.length > 0)) {
    const life = all[Math.floor(next() * all.length)];
    const first = life?.shift();
    if (first !== undefined) mixed.push(first);
  }
  return mixed;
}

/** What of some events must have been sent in the end: all but the texts that were deleted before. */
function due(events: CommentEvent[]): CommentEvent[] {
  const gone = new Set(door.has.filter(isDeletion).map(commentId));
  return events.filter((event) => !(hasText(event) && gone.has(commentId(event))));
}

/** Whether the front door has each comment's events in the order in which they happened, and none twice. */
function isInOrder(events: CommentEvent[]): boolean {
  const has = new Set(ids(door.has));
  const inOrder = [...new Set(events.map(commentId))].every((comment) => {
    const of = (all: CommentEvent[]) => ids(all.filter((one) => commentId(one) === comment && has.has(one.id)));
    return of(door.has).join() === of(events).join();
  });
  return inOrder && has.size === door.has.length;
}

describe('wherever the app is ended', () => {
  /** Handles each event as a trigger does; what is ended is not started again. Says which were kept. */
  async function run(events: CommentEvent[], fault: Fault): Promise<CommentEvent[]> {
    const safe: CommentEvent[] = [];
    for (const event of events) {
      const { outbox, sender } = app({ fault });
      try {
        await outbox.keep(event);
        safe.push(event);
        await sender.run();
      } catch (error) {
        if (!(error instanceof Crash)) throw error;
      }
    }
    return safe;
  }

  test.each([1, 2])(
    'nothing that was kept is lost, no repeat is a second one, each comment keeps its order (%i)',
    async (seed) => {
      const whole = new Fault();
      expect(ids(await run(lives(seed), whole))).toEqual(ids(lives(seed)));
      expect(whole.calls).toBeGreaterThan(50);
      const [none, events, lost] = [door, lives(seed), [] as string[]];
      for (let at = 0; at < whole.calls; at++) {
        for (const when of ['before', 'after'] as const) {
          [clock, door] = [new Clock(), new Door()];
          data = new Data(clock);
          const safe = await run(events, new Fault(at, when));
          await minutes(4);
          const isWhole = ids(due(safe)).every((id) => ids(door.has).includes(id));
          if (!isInOrder(events) || !isWhole || (await app().outbox.waiting()) > 0) lost.push(`${when} call ${at}`);
        }
      }
      expect(lost).toEqual([]);
      expect(ids(none.has)).toEqual(ids(events));
    },
  );
});

test('a front door that fails at random gets all of it, and each comment in its order', async () => {
  for (let seed = 1; seed <= 40; seed++) {
    [clock, door] = [new Clock(), new Door()];
    data = new Data(clock);
    const next = random(seed);
    door.instead = () => {
      const chance = next();
      if (chance < 0.2) return Promise.reject(new TypeError('fetch failed'));
      if (chance < 0.3) return new Response('', { status: 503, headers: { 'retry-after': '1' } });
      return chance < 0.35 ? new Response('', { status: 202 }) : undefined;
    };
    const events = lives(seed);
    for (const event of events) {
      await kept(event);
      if (next() < 0.7) await app().sender.run();
      clock.pass(next() * 40);
    }
    door.instead = undefined;
    await minutes(20);
    expect(isInOrder(events)).toBe(true);
    expect(ids(due(events)).filter((id) => !ids(door.has).includes(id))).toEqual([]);
  }
});
