/** modstream's events, as `events/schemas` describes them: what this app makes of each. */

interface Envelope<Type extends string, Data> {
  specversion: '1.0';
  id: string;
  source: string;
  type: Type;
  time: string;
  data: Data;
}

export interface Comment {
  id: string;
  body: string;
  author?: string;
  subreddit?: string;
  created_utc?: number;
  edited?: number;
  link_id?: string;
  parent_id?: string;
  permalink?: string;
}

export type DeletedBy = 'author' | 'moderator' | 'unknown';

export type Created = Envelope<'modstream.comment.v1', Comment>;
export type Edited = Envelope<'modstream.comment-edited.v1', { comment: Comment; version: string }>;
export type Deleted = Envelope<'modstream.comment-deleted.v1', { id: string; subreddit?: string; by: DeletedBy }>;
export type Reported = Envelope<'modstream.comment-reported.v1', { id: string; subreddit?: string; reason?: string }>;

export type CommentEvent = Created | Edited | Deleted | Reported;

/** The comment that an event is about. */
export function commentId(event: CommentEvent): string {
  return event.type === 'modstream.comment-edited.v1' ? event.data.comment.id : event.data.id;
}

/** Whether an event holds what somebody wrote as a comment. */
export function hasText(event: CommentEvent): boolean {
  return event.type === 'modstream.comment.v1' || event.type === 'modstream.comment-edited.v1';
}

/** Whether an event says that a comment is gone. */
export function isDeletion(event: CommentEvent): event is Deleted {
  return event.type === 'modstream.comment-deleted.v1';
}
