import { expect, test } from 'vitest';

import * as ids from '../src/ids';

// The ids that `events/src/ids.rs` holds, too.
test('ids are those that modstream makes', () => {
  const of = ['urn:example:forum', 'k3f9a01'] as const;
  expect([
    ids.comment(...of, '1767607500'),
    ids.comment(...of, ids.textVersion('lol')),
    ids.comment(...of, ids.editVersion(1_767_607_500, 'lol')),
    ids.commentDeleted(...of),
    ids.commentReported(...of, '9f2c'),
  ]).toEqual([
    '361ac0d2-1b82-505e-b259-7b4337ec4742',
    'f0ade649-0fcf-5483-b2cf-f988c0262514',
    '7a914566-6329-5b18-ab5d-19d395a6ff00',
    '85a26107-2bd3-58af-ad9e-9188d7b0ae4b',
    'd25ce7cb-e2ff-50e4-9e77-d496983085b3',
  ]);
});

test('moving a boundary between parts changes the id', () => {
  expect(ids.comment('a', 'bc', 'd')).not.toBe(ids.comment('ab', 'c', 'd'));
  expect(ids.comment('a', '","', 'd')).not.toBe(ids.comment('a","', '', 'd'));
});

test('half an emoji is U+FFFD, as it is in the text that is sent', () => {
  expect(ids.textVersion('a\ud83d')).toBe(ids.textVersion('a\ufffd'));
});
