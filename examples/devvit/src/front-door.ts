/** modstream's front door: `POST /v1/comments` with a batch of CloudEvents, and what it answers. */
import type { CommentEvent } from './events';

export interface FrontDoor {
  /** Where comments go. */
  url: URL;
  /** A key of the role send. */
  key: string;
}

/** An event that is not taken, and never will be. */
export interface Refused {
  /** Its number in the batch, from 0. */
  index: number;
  reason: string;
}

export type Answer =
  /** Each event of the batch is on the disk there, but for those that are named. */
  | { kind: 'taken'; repeated: number; refused: Refused[] }
  /** The batch is not taken, for what it holds, and the answer does not say which event it is. */
  | { kind: 'wrong'; reason: string }
  /** Nobody knows whether the batch was taken; the events are to be sent again, in so many seconds if it says when. */
  | { kind: 'later'; reason: string; seconds?: number };

export type Post = (events: readonly CommentEvent[]) => Promise<Answer>;

/** How long an answer is waited for. The platform ends a request after 30 seconds, and the function that waits for it. */
const TIMEOUT_MS = 10_000;

/** Sends a batch. It never throws. */
export async function post(
  { url, key }: FrontDoor,
  events: readonly CommentEvent[],
  fetch: typeof globalThis.fetch,
  timeoutMs = TIMEOUT_MS,
): Promise<Answer> {
  let timer: NodeJS.Timeout | undefined;
  // The platform's fetch does not end with a signal.
  const late = new Promise<Answer>((resolve) => {
    const answer: Answer = { kind: 'later', reason: `no answer within ${timeoutMs / 1000} s` };
    timer = setTimeout(() => resolve(answer), timeoutMs);
  });
  const asked = async (): Promise<Answer> => {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/cloudevents-batch+json', authorization: `Bearer ${key}` },
      body: JSON.stringify(events),
      // Elsewhere nobody is to see the key.
      redirect: 'manual',
      signal: AbortSignal.timeout(timeoutMs),
    });
    return answerOf(response.status, response.headers.get('retry-after'), await response.text(), events.length);
  };
  const failed = (error: unknown): Answer => ({ kind: 'later', reason: `no connection: ${messageOf(error)}` });
  try {
    return await Promise.race([asked().catch(failed), late]);
  } finally {
    clearTimeout(timer);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** What an answer to a batch of so many events says. */
export function answerOf(status: number, retryAfter: string | null, body: string, count: number): Answer {
  const taken = status === 202 || status === 400 ? takenOf(body, count) : undefined;
  if (taken !== undefined) return taken;
  if (status === 400 || status === 413 || status === 422) return { kind: 'wrong', reason: `status ${status}` };
  const seconds = secondsOf(retryAfter);
  return { kind: 'later', reason: reasonOf(status), ...(seconds !== undefined && { seconds }) };
}

/** What became of each event; nothing where the answer does not say it of all of them, as that of something in between. */
function takenOf(body: string, count: number): Answer | undefined {
  let said: unknown;
  try {
    said = JSON.parse(body);
  } catch {
    return undefined;
  }
  const { ids, refused, repeated } = (said ?? {}) as Record<string, unknown>;
  if (!Array.isArray(ids) || !Array.isArray(refused) || ids.length + refused.length !== count) return undefined;
  const named: Refused[] = [];
  for (const entry of refused as unknown[]) {
    const { line, reason } = (entry ?? {}) as Record<string, unknown>;
    if (typeof line !== 'number' || !Number.isInteger(line) || line < 1 || line > count) return undefined;
    named.push({ index: line - 1, reason: typeof reason === 'string' ? reason : 'unknown' });
  }
  return { kind: 'taken', repeated: typeof repeated === 'number' ? repeated : 0, refused: named };
}

function reasonOf(status: number): string {
  switch (status) {
    case 401:
      return 'status 401: the key is none, or was revoked; make one with `modstream key create --role send`, and set it';
    case 403:
      return 'status 403: the key is not of the role send; make one with `modstream key create --role send`, and set it';
    case 404:
    case 405:
      return `status ${status}: there is no front door at that address; see the setting frontDoor`;
    case 429:
      return 'status 429: more than the quota of the key; `modstream key create --per-minute N` makes one with a larger one';
    default:
      return `status ${status}`;
  }
}

/** What `Retry-After` says: seconds, or a date. */
function secondsOf(retryAfter: string | null): number | undefined {
  if (retryAfter === null) return undefined;
  const seconds = /^\s*\d{1,9}\s*$/.test(retryAfter)
    ? Number(retryAfter)
    : (Date.parse(retryAfter) - Date.now()) / 1000;
  return Number.isFinite(seconds) && seconds >= 0 ? Math.ceil(seconds) : undefined;
}
