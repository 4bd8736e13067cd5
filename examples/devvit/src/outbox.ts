/**
 * What is still to be sent, in the app's redis: an event stands there before anybody tries to send it, and goes once the front door has
 * it. So what ends the app in between costs nothing but a repeat, which the front door knows by its id.
 *
 * A sorted set has the events, by the numbers in which they came. One command adds an event and one removes it, so there is nothing
 * that could be half done.
 */
import type { RedisClient } from '@devvit/web/server';

import { commentId, hasText, isDeletion, type CommentEvent } from './events';

/** What of the platform's redis is used. */
export type Redis = Pick<
  RedisClient,
  'del' | 'get' | 'hGetAll' | 'hIncrBy' | 'incrBy' | 'set' | 'zAdd' | 'zCard' | 'zRange' | 'zRem'
>;

/** An event that waits. `member` is how it stands in the set. */
export interface Waiting {
  member: string;
  event: CommentEvent;
}

/** What is counted, since the app was installed. */
export type Count =
  /** Events that the front door has. */
  | 'sent'
  /** Those of them that it had before. */
  | 'repeated'
  /** Events that the front door does not take, and that are not sent again. */
  | 'refused'
  /** Events that were given up since too many waited. */
  | 'dropped'
  /** Texts that waited when their comment was deleted, and were not sent any more. */
  | 'withdrawn'
  /** Triggers of which no event was made. */
  | 'skipped';

const QUEUE = 'outbox';
const NUMBER = 'outbox:number';
const COUNTS = 'counts';
const LEASE = 'outbox:lease';
const PAUSE = 'outbox:pause';
const FAILURES = 'outbox:failures';

/** How many events wait at most: some hours of a large community. If each had 10,000 emojis, they took 200 of redis' 500 MB. */
export const MAX_WAITING = 5_000;
/** How many events are read at a time: at most 4 MB, where redis answers with 5. */
export const PAGE = 20;

/** How long nobody else sends, where who sends was ended without a word. */
const LEASE_MS = 60_000;
/** How long nothing is sent after a failure: first, and at most. */
const FIRST_PAUSE_S = 15;
const MAX_PAUSE_S = 900;
/** The longest pause that the front door may ask for. */
const MAX_ASKED_PAUSE_S = 3_600;

export class Outbox {
  constructor(
    private readonly redis: Redis,
    private readonly now: () => number = Date.now,
    private readonly maxWaiting = MAX_WAITING,
  ) {}

  /** Keeps an event until it is sent, and says how many others were dropped for it. What is kept when this returns is sent. */
  async keep(event: CommentEvent): Promise<number> {
    const number = await this.redis.incrBy(NUMBER, 1);
    await this.redis.zAdd(QUEUE, { member: JSON.stringify({ number, event }), score: number });
    // Reddit's rules ask that no app keeps or sends a text that is deleted, whoever deleted it.
    if (isDeletion(event)) await this.withdraw(commentId(event));
    return this.bound();
  }

  async waiting(): Promise<number> {
    return this.redis.zCard(QUEUE);
  }

  /** The events that came first, or those from this rank on. */
  async oldest(from = 0): Promise<Waiting[]> {
    const found = await this.redis.zRange(QUEUE, from, from + PAGE - 1, { by: 'rank' });
    return found.map(({ member }) => ({ member, event: (JSON.parse(member) as { event: CommentEvent }).event }));
  }

  /** Removes events, and says how many were still there. */
  async remove(events: readonly Waiting[]): Promise<number> {
    const members = events.map(({ member }) => member);
    return members.length === 0 ? 0 : this.redis.zRem(QUEUE, members);
  }

  async count(what: Count, by: number): Promise<void> {
    if (by > 0) await this.redis.hIncrBy(COUNTS, what, by);
  }

  async counts(): Promise<Record<Count, number>> {
    const counted = await this.redis.hGetAll(COUNTS);
    const of = (what: Count) => Number(counted[what] ?? 0);
    return {
      sent: of('sent'),
      repeated: of('repeated'),
      refused: of('refused'),
      dropped: of('dropped'),
      withdrawn: of('withdrawn'),
      skipped: of('skipped'),
    };
  }

  /** Whether the caller alone sends from now on, for a minute at most. Two at a time would do no harm, and twice the work. */
  async lease(): Promise<boolean> {
    const leased = await this.redis.set(LEASE, '1', { nx: true, expiration: new Date(this.now() + LEASE_MS) });
    return leased === 'OK';
  }

  async release(): Promise<void> {
    await this.redis.del(LEASE);
  }

  /** Lets nothing be sent for some time: as long as the front door asked, or else longer with each failure. */
  async pause(reason: string, asked?: number): Promise<number> {
    const failures = await this.redis.incrBy(FAILURES, 1);
    const grown = Math.min(FIRST_PAUSE_S * 2 ** Math.min(failures - 1, 10), MAX_PAUSE_S);
    const seconds = asked === undefined ? grown : Math.min(Math.max(asked, 1), MAX_ASKED_PAUSE_S);
    await this.redis.set(PAUSE, reason, { expiration: new Date(this.now() + seconds * 1000) });
    return seconds;
  }

  /** Why nothing is sent now. */
  async paused(): Promise<string | undefined> {
    return (await this.redis.get(PAUSE)) ?? undefined;
  }

  /** Says that the front door answers. */
  async works(): Promise<void> {
    await this.redis.del(FAILURES, PAUSE);
  }

  /** Removes the texts of a comment. */
  private async withdraw(id: string): Promise<void> {
    let from = 0;
    for (;;) {
      const page = await this.oldest(from);
      const texts = page.filter(({ event }) => hasText(event) && commentId(event) === id);
      await this.count('withdrawn', await this.remove(texts));
      if (page.length < PAGE) return;
      // What stood behind those that are gone has moved up.
      from += PAGE - texts.length;
    }
  }

  /** Drops the oldest events of those above the bound; deletions last, as the texts that they are about are there already. */
  private async bound(): Promise<number> {
    let dropped = 0;
    for (let above = (await this.waiting()) - this.maxWaiting; above > 0; above -= PAGE) {
      const page = await this.oldest();
      const deletions = page.filter(({ event }) => isDeletion(event));
      const first = [...page.filter(({ event }) => !isDeletion(event)), ...deletions];
      dropped += await this.remove(first.slice(0, Math.min(above, PAGE)));
    }
    await this.count('dropped', dropped);
    return dropped;
  }
}
