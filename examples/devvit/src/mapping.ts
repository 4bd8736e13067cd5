/**
 * What a trigger of the platform says, as an event of modstream.
 *
 * A request is JSON that others wrote, so nothing is taken for granted: each field is looked at before it is used, and what says
 * nothing is left out. Without the comment's id, or where there must be one without a text, there is no event.
 */
import type {
  CommentV2,
  OnCommentCreateRequest,
  OnCommentDeleteRequest,
  OnCommentReportRequest,
  OnCommentUpdateRequest,
  SubredditV2,
  UserV2,
} from '@devvit/web/shared';

import type { Comment, CommentEvent, DeletedBy } from './events';
import * as ids from './ids';

/** The triggers that say something of comments, by what they say. */
export type Trigger = 'created' | 'edited' | 'deleted' | 'reported';

/** Where and when a trigger came. */
export interface Context {
  /** Names Reddit in modstream's events. */
  source: string;
  /** The community that the app works in: that of a request that names none. */
  community?: string | undefined;
  now: Date;
}

/** Why a trigger makes no event. */
export type Skipped =
  /** It names no comment. */
  | 'no_id'
  /** The comment has no text: it is an image alone, say. */
  | 'no_text'
  /** What stands there stands in place of a text that is gone. */
  | 'placeholder'
  /** It is larger than any comment of Reddit's. */
  | 'too_large';

export type Mapped = { event: CommentEvent } | { skipped: Skipped };

/** Reddit's comments have 10,000 characters at most, which are 60 kB where each is escaped. */
export const MAX_EVENT_BYTES = 200_000;

/** Reads a field of a type of the platform's, of which nobody has checked that it is one. */
function fieldsOf<T>(): (of: unknown, name: keyof T & string) => unknown {
  return (of, name) => (typeof of === 'object' && of !== null ? (of as Record<string, unknown>)[name] : undefined);
}

const inCreated = fieldsOf<OnCommentCreateRequest>();
const inEdited = fieldsOf<OnCommentUpdateRequest>();
const inDeleted = fieldsOf<OnCommentDeleteRequest>();
const inReported = fieldsOf<OnCommentReportRequest>();
const inComment = fieldsOf<CommentV2>();
const inUser = fieldsOf<UserV2>();
const inSubreddit = fieldsOf<SubredditV2>();

/** The event that a trigger's request makes, or why it makes none. */
export function eventOf(trigger: Trigger, request: unknown, context: Context): Mapped {
  const mapped = map(trigger, request, context);
  const isTooLarge = 'event' in mapped && Buffer.byteLength(JSON.stringify(mapped.event)) > MAX_EVENT_BYTES;
  return isTooLarge ? { skipped: 'too_large' } : mapped;
}

function map(trigger: Trigger, request: unknown, context: Context): Mapped {
  switch (trigger) {
    case 'created':
      return created(request, context);
    case 'edited':
      return edited(request, context);
    case 'deleted':
      return deleted(request, context);
    case 'reported':
      return reported(request, context);
  }
}

function created(request: unknown, context: Context): Mapped {
  const snapshot = inCreated(request, 'comment');
  const id = commentId(inComment(snapshot, 'id'));
  const body = text(inComment(snapshot, 'body'));
  if (id === undefined) return { skipped: 'no_id' };
  if (body === undefined || body.trim() === '') return { skipped: 'no_text' };
  if (isPlaceholder(body)) return { skipped: 'placeholder' };
  const comment = commentOf(id, body, snapshot, {
    author: inUser(inCreated(request, 'author'), 'name'),
    subreddit: inSubreddit(inCreated(request, 'subreddit'), 'name'),
    community: context.community,
  });
  const event = {
    ...envelope(ids.comment(context.source, id, ids.textVersion(body)), comment.created_utc, context),
    type: 'modstream.comment.v1' as const,
    data: comment,
  };
  return { event };
}

function edited(request: unknown, context: Context): Mapped {
  const snapshot = inEdited(request, 'comment');
  const id = commentId(inComment(snapshot, 'id'));
  const body = text(inComment(snapshot, 'body'));
  if (id === undefined) return { skipped: 'no_id' };
  // A text that was edited away is a version, too: what was said of the earlier text no longer holds.
  if (body === undefined) return { skipped: 'no_text' };
  if (isPlaceholder(body)) return { skipped: 'placeholder' };
  const comment = commentOf(id, body, snapshot, {
    author: inUser(inEdited(request, 'author'), 'name'),
    subreddit: inSubreddit(inEdited(request, 'subreddit'), 'name'),
    community: context.community,
  });
  const modified = seconds(inComment(snapshot, 'lastModifiedAt'));
  const time = modified === undefined || modified < (comment.created_utc ?? 0) ? undefined : modified;
  const version = time === undefined ? ids.textVersion(body) : ids.editVersion(time, body);
  const event = {
    ...envelope(ids.comment(context.source, id, version), time, context),
    type: 'modstream.comment-edited.v1' as const,
    data: { comment: { ...comment, ...(time !== undefined && { edited: time }) }, version },
  };
  return { event };
}

function deleted(request: unknown, context: Context): Mapped {
  const id = commentId(inDeleted(request, 'commentId'));
  if (id === undefined) return { skipped: 'no_id' };
  const subreddit = community(inSubreddit(inDeleted(request, 'subreddit'), 'name'), context.community);
  const event = {
    ...envelope(ids.commentDeleted(context.source, id), seconds(inDeleted(request, 'deletedAt')), context),
    type: 'modstream.comment-deleted.v1' as const,
    data: { id, ...(subreddit !== undefined && { subreddit }), by: deletedBy(inDeleted(request, 'source')) },
  };
  return { event };
}

function reported(request: unknown, context: Context): Mapped {
  const snapshot = inReported(request, 'comment');
  const id = commentId(inComment(snapshot, 'id'));
  if (id === undefined) return { skipped: 'no_id' };
  const subreddit = community(inSubreddit(inReported(request, 'subreddit'), 'name'), context.community);
  const reason = text(inReported(request, 'reason'))?.trim();
  // The platform never says who reported. A comment's reports differ in how many there are by then, and in their reasons.
  const number = inComment(snapshot, 'numReports');
  const report = JSON.stringify([typeof number === 'number' ? number : 0, reason ?? '']);
  const event = {
    ...envelope(ids.commentReported(context.source, id, report), undefined, context),
    type: 'modstream.comment-reported.v1' as const,
    data: { id, ...(subreddit !== undefined && { subreddit }), ...(reason && { reason }) },
  };
  return { event };
}

function envelope(id: string, time: number | undefined, { source, now }: Context) {
  const at = time === undefined ? now : new Date(time * 1000);
  return { specversion: '1.0' as const, id, source, time: at.toISOString() };
}

interface Beside {
  author: unknown;
  subreddit: unknown;
  community: string | undefined;
}

function commentOf(id: string, body: string, snapshot: unknown, beside: Beside): Comment {
  const author = userName(beside.author);
  const subreddit = community(beside.subreddit, beside.community);
  const created = seconds(inComment(snapshot, 'createdAt'));
  const link = fullName(inComment(snapshot, 'postId'), /^t3_[0-9a-z]+$/);
  const parent = fullName(inComment(snapshot, 'parentId'), /^t[13]_[0-9a-z]+$/);
  const permalink = path(inComment(snapshot, 'permalink'));
  return {
    id,
    body,
    ...(author !== undefined && { author }),
    ...(subreddit !== undefined && { subreddit }),
    ...(created !== undefined && { created_utc: created }),
    ...(link !== undefined && { link_id: link }),
    ...(parent !== undefined && { parent_id: parent }),
    ...(permalink !== undefined && { permalink }),
  };
}

/** A text that has UTF-8: half an emoji becomes U+FFFD. */
function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value.toWellFormed() : undefined;
}

/** A comment's id as dumps have it, without the `t1_` that says what it is an id of. */
function commentId(value: unknown): string | undefined {
  return typeof value === 'string' ? /^(?:t1_)?([0-9a-z]{1,20})$/.exec(value.trim().toLowerCase())?.[1] : undefined;
}

function fullName(value: unknown, form: RegExp): string | undefined {
  return typeof value === 'string' && value.length < 30 && form.test(value) ? value : undefined;
}

/** Somebody's name; none of an account that is gone, for which a word in brackets stands. */
function userName(value: unknown): string | undefined {
  return typeof value === 'string' && /^[\w-]{1,64}$/.test(value) ? value : undefined;
}

function community(value: unknown, otherwise: string | undefined): string | undefined {
  const name = typeof value === 'string' ? value.replace(/^\/?r\//i, '') : undefined;
  return name !== undefined && /^[\w-]{1,64}$/.test(name) ? name : otherwise;
}

/** A path of Reddit's, without the site that it may come with. */
function path(value: unknown): string | undefined {
  if (typeof value !== 'string' || value.length > 2000) return undefined;
  const path = value.toWellFormed().replace(/^https:\/\/(?:www\.|old\.)?reddit\.com(?=\/)/i, '');
  return /^\/(?!\/)[!-~]*$/.test(path) ? path : undefined;
}

/** The end of the year 9999: RFC 3339 has no later time. */
const LAST_SECOND = 253_402_300_799;

/**
 * A time in seconds since 1970: a number of seconds, milliseconds, microseconds or nanoseconds, which follows from its size, also as
 * text, or a time of ISO 8601.
 */
function seconds(value: unknown): number | undefined {
  const number = typeof value === 'string' && /^\d{1,20}$/.test(value.trim()) ? Number(value) : value;
  let found: number;
  if (typeof number === 'number') {
    const perSecond = [1, 1e3, 1e6, 1e9].find((perSecond) => number < 1e11 * perSecond);
    found = perSecond === undefined ? NaN : Math.floor(number / perSecond);
  } else if (typeof number === 'string' && /^\d{4}-\d\d-\d\dT/.test(number.trim())) {
    found = Math.floor(Date.parse(number.trim()) / 1000);
  } else {
    return undefined;
  }
  // Zero is what the platform says where there is no time.
  return found > 0 && found <= LAST_SECOND ? found : undefined;
}

/**
 * Who deleted a comment. The platform numbers or names them. Reddit's own staff are none of modstream's three, and its word `account` is
 * for all that somebody wrote.
 */
function deletedBy(source: unknown): DeletedBy {
  switch (source) {
    // `EventSource.USER`: an enum's values can't be imported into a module that must run without the platform.
    case 1:
    case 'USER':
      return 'author';
    case 3:
    case 'MODERATOR':
      return 'moderator';
    default:
      return 'unknown';
  }
}

/** What Reddit writes in place of a text that is gone. */
const PLACEHOLDERS = [
  '[deleted]',
  '[deleted by user]',
  '[removed]',
  '[removed by moderator]',
  '[removed by reddit]',
  '[unavailable]',
];

function isPlaceholder(body: string): boolean {
  if (body.length > 100) return false;
  const form = body
    .trim()
    .toLowerCase()
    .replace(/\s+/g, ' ')
    .replace(/^\\?\[ ?/, '[')
    .replace(/ ?\\?\]$/, ']');
  return PLACEHOLDERS.includes(form);
}
