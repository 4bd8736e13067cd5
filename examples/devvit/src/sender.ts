/** Sends what waits in the outbox, the oldest first. */
import type { Answer, Post } from './front-door';
import type { Outbox, Waiting } from './outbox';

export type Log = (level: 'info' | 'error', event: string, fields: Record<string, unknown>) => void;

/** How long events are sent without a rest: the platform ends a job after 30 seconds, and an answer takes ten at most. */
const BUDGET_MS = 15_000;

export class Sender {
  constructor(
    private readonly outbox: Outbox,
    private readonly post: Post,
    private readonly log: Log,
    private readonly now: () => number = Date.now,
  ) {}

  /** Sends until nothing is left, the front door does not answer, or the time is over. */
  async run(): Promise<void> {
    const until = this.now() + BUDGET_MS;
    // Who finds another one sending leaves their event to them; so whoever has sent looks again afterwards.
    while ((await this.outbox.waiting()) > 0 && !(await this.outbox.paused()) && (await this.outbox.lease())) {
      let goesOn: boolean;
      try {
        goesOn = await this.sendAll(until);
      } finally {
        await this.outbox.release();
      }
      if (!goesOn) return;
    }
  }

  /** Sends page by page, and says whether all of it was sent. */
  private async sendAll(until: number): Promise<boolean> {
    while (this.now() < until) {
      const page = await this.outbox.oldest();
      if (page.length === 0) return true;
      if (!(await this.send(page))) return false;
    }
    return false;
  }

  /** Sends these events, and says whether to go on. */
  private async send(events: Waiting[]): Promise<boolean> {
    const answer = await this.post(events.map(({ event }) => event));
    switch (answer.kind) {
      case 'taken':
        await this.taken(events, answer);
        return true;
      case 'wrong': {
        if (events.length === 1) {
          await this.refused(events, answer.reason);
          return true;
        }
        // One of them spoils it for the others. The halves keep the order.
        const half = Math.ceil(events.length / 2);
        return (await this.send(events.slice(0, half))) && (await this.send(events.slice(half)));
      }
      case 'later': {
        const seconds = await this.outbox.pause(answer.reason, answer.seconds);
        this.log('error', 'not_sent', { reason: answer.reason, again_in_seconds: seconds });
        return false;
      }
    }
  }

  private async taken(events: Waiting[], answer: Extract<Answer, { kind: 'taken' }>): Promise<void> {
    await this.outbox.works();
    const refused = new Map(answer.refused.map(({ index, reason }) => [index, reason]));
    await this.outbox.remove(events.filter((_, index) => !refused.has(index)));
    await this.outbox.count('sent', events.length - refused.size);
    await this.outbox.count('repeated', answer.repeated);
    for (const [index, reason] of refused) {
      await this.refused(events.slice(index, index + 1), reason);
    }
  }

  /** Gives events up that the front door will never take. */
  private async refused(events: Waiting[], reason: string): Promise<void> {
    await this.outbox.remove(events);
    await this.outbox.count('refused', events.length);
    for (const { event } of events) {
      this.log('error', 'refused', { reason, event: event.id, type: event.type });
    }
  }
}
