/** What the app does at each of the endpoints that devvit.json names. */
import type { SettingsValidationResponse, TriggerResponse, UiResponse } from '@devvit/web/shared';

import { post } from './front-door';
import { eventOf, type Trigger } from './mapping';
import { Outbox, type Redis } from './outbox';
import { Sender, type Log } from './sender';
import { commentsUrl, keyOf, problem, SettingsError } from './settings';
import { SOURCE } from './source';

/** What the app has of the platform. */
export interface Platform {
  redis: Redis;
  setting: (name: string) => Promise<unknown>;
  /** The community that the app works in. */
  community: string | undefined;
  fetch: typeof globalThis.fetch;
  log: Log;
  /** The hosts that devvit.json asks Reddit to let the app send to. */
  domains: readonly string[];
}

export interface Reply {
  status: number;
  body: TriggerResponse | SettingsValidationResponse | UiResponse;
}

type Handler = (request: unknown, platform: Platform) => Promise<Reply>;

const TRIGGERS: Record<string, Trigger> = {
  '/internal/triggers/comment-create': 'created',
  '/internal/triggers/comment-update': 'edited',
  '/internal/triggers/comment-delete': 'deleted',
  '/internal/triggers/comment-report': 'reported',
};

/** The handlers, by their endpoints. */
export const HANDLERS: ReadonlyMap<string, Handler> = new Map<string, Handler>([
  ...Object.entries(TRIGGERS).map(([path, trigger]): [string, Handler] => [
    path,
    (request, platform) => happened(trigger, request, platform),
  ]),
  ['/internal/scheduler/send-what-waits', sendWhatWaits],
  ['/internal/menu/state', state],
  ['/internal/settings/front-door', checkFrontDoor],
]);

/** Answers a request of the platform's. */
export async function handle(path: string, request: unknown, platform: Platform): Promise<Reply> {
  const handler = HANDLERS.get(path);
  if (handler === undefined) return { status: 404, body: {} };
  try {
    return await handler(request, platform);
  } catch (error) {
    // Of a trigger: the event is not kept. Whether Reddit sends it again is up to it.
    platform.log('error', 'failed', { path, message: error instanceof Error ? error.message : String(error) });
    return { status: 500, body: {} };
  }
}

async function happened(trigger: Trigger, request: unknown, platform: Platform): Promise<Reply> {
  const outbox = new Outbox(platform.redis);
  const mapped = eventOf(trigger, request, { source: SOURCE, community: platform.community, now: new Date() });
  if ('skipped' in mapped) {
    platform.log('info', 'skipped', { trigger, reason: mapped.skipped });
    await outbox.count('skipped', 1);
    return { status: 200, body: {} };
  }
  const dropped = await outbox.keep(mapped.event);
  if (dropped > 0) {
    platform.log('error', 'dropped', { events: dropped, reason: 'too many wait; see why nothing is sent' });
  }
  // From here on the event is safe: what fails now, the next minute's job does.
  await sendNow(outbox, platform);
  return { status: 200, body: {} };
}

async function sendWhatWaits(_request: unknown, platform: Platform): Promise<Reply> {
  await sendNow(new Outbox(platform.redis), platform);
  return { status: 200, body: {} };
}

async function sendNow(outbox: Outbox, platform: Platform): Promise<void> {
  try {
    const frontDoor = {
      url: commentsUrl(await platform.setting('frontDoor'), platform.domains),
      key: keyOf(await platform.setting('key')),
    };
    const sender = new Sender(outbox, (events) => post(frontDoor, events, platform.fetch), platform.log);
    await sender.run();
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    platform.log('error', error instanceof SettingsError ? 'settings' : 'sending_failed', { message });
  }
}

async function state(_request: unknown, platform: Platform): Promise<Reply> {
  const outbox = new Outbox(platform.redis);
  const [waiting, counts, paused] = [await outbox.waiting(), await outbox.counts(), await outbox.paused()];
  const { sent, refused, dropped, withdrawn, skipped } = counts;
  const address = await platform.setting('frontDoor');
  const key = await platform.setting('key');
  const wrong = problem(() => commentsUrl(address, platform.domains)) ?? problem(() => keyOf(key)) ?? paused;
  const text =
    `${waiting} wait, ${sent} sent, ${refused} refused, ${dropped} dropped, ` +
    `${withdrawn} withdrawn, ${skipped} skipped${wrong === undefined ? '' : `; ${wrong}`}`;
  return { status: 200, body: { showToast: { text, appearance: wrong === undefined ? 'success' : 'neutral' } } };
}

async function checkFrontDoor(request: unknown, { domains }: Platform): Promise<Reply> {
  const address = (request as { value?: unknown } | null)?.value;
  const error = problem(() => commentsUrl(address, domains));
  return { status: 200, body: error === undefined ? { success: true } : { success: false, error } };
}
