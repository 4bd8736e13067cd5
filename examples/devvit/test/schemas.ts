/** Checks events against the schemas of this checkout. */
import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import type { CommentEvent } from '../src/events';

const TYPES: CommentEvent['type'][] = [
  'modstream.comment.v1',
  'modstream.comment-edited.v1',
  'modstream.comment-deleted.v1',
  'modstream.comment-reported.v1',
];

/** Where the schemas are: `cargo xtask test clients` says it, since it tests a copy. */
const folder =
  process.env['MODSTREAM_TEST_SCHEMAS'] ?? fileURLToPath(new URL('../../../events/schemas', import.meta.url));

const ajv = new Ajv2020({ allErrors: true, strict: true });
formats.default(ajv);
const validators = new Map(
  TYPES.map((type) => [type, ajv.compile(JSON.parse(readFileSync(`${folder}/${type}.json`, 'utf8')) as object)]),
);

/** What is wrong with an event. */
export function wrong(event: CommentEvent): string[] {
  const validate = validators.get(event.type);
  if (validate === undefined) return [`no schema is of ${event.type}`];
  validate(event);
  return (validate.errors ?? []).map((error) => `${error.instancePath} ${error.message ?? ''}`);
}
