/**
 * modstream's ids: UUIDv5 under its namespace, over the compact JSON array of a kind and its parts. They are those of
 * `events/src/ids.rs`, so a comment that is sent again, by this app or from a dump, is known as the same.
 */
import { createHash } from 'node:crypto';

const NAMESPACE = Buffer.from('5d2b6c1e0f4a5b7e9c3d81a4e6f72b90', 'hex');

function id(kind: string, ...parts: string[]): string {
  // JSON.stringify escapes as modstream does; half an emoji has no UTF-8 and is U+FFFD.
  const name = JSON.stringify([kind, ...parts.map((part) => part.toWellFormed())]);
  const hash = createHash('sha1').update(NAMESPACE).update(name).digest().subarray(0, 16);
  hash.writeUInt8((hash.readUInt8(6) & 0x0f) | 0x50, 6);
  hash.writeUInt8((hash.readUInt8(8) & 0x3f) | 0x80, 8);
  return hash.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

/** The event of one version of a comment. */
export function comment(source: string, commentId: string, version: string): string {
  return id('modstream.comment.v1', 'version', source, commentId, version);
}

/** The version of a comment of which nobody knows when it was edited: a hash of its text. */
export function textVersion(text: string): string {
  return id('modstream.comment.v1', 'text', text, '0');
}

/** The version of a comment that was edited then, in seconds since 1970: two edits of one second differ by their texts. */
export function editVersion(edited: number, text: string): string {
  return `${edited}+${textVersion(text)}`;
}

/** The event that says that a comment is gone. */
export function commentDeleted(source: string, commentId: string): string {
  return id('modstream.comment-deleted.v1', source, commentId);
}

/** The event that says that somebody reported a comment; `report` tells the reports of one comment apart. */
export function commentReported(source: string, commentId: string, report: string): string {
  return id('modstream.comment-reported.v1', source, commentId, report);
}
