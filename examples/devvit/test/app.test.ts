/** The app with the platform's own clients, over the platform's stand-ins for its services. */
import { createDevvitTest } from '@devvit/test/server/vitest';
import { context, redis, settings } from '@devvit/web/server';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { describe, expect } from 'vitest';

import config from '../devvit.json';
import { handle, HANDLERS, type Platform } from '../src/app';
import { Outbox } from '../src/outbox';
import { created, deleted, Door, edited, reported } from './support';

const CONFIGURED = { frontDoor: 'https://modstream.example.com', key: 'ms_1_a' };
const test = createDevvitTest({ settings: CONFIGURED, subredditName: 'science' });
const notConfigured = createDevvitTest({ settings: {} });

/** The platform as `src/index.ts` has it, with another network, and what was logged. */
function platform(door: Door): Platform & { logged: string[] } {
  const logged: string[] = [];
  return {
    redis,
    setting: (name) => settings.get(name),
    community: context.subredditName,
    fetch: door.fetch(),
    log: (_level, event, fields) => logged.push(JSON.stringify({ event, ...fields })),
    domains: config.permissions.http.domains,
    logged,
  };
}

const OK = { status: 200, body: {} };
const TRIGGERS = config.triggers;
const JOB = config.scheduler.tasks['send-what-waits'].endpoint;
const STATE = '/internal/menu/state';

describe('a trigger', () => {
  test('is sent at once', async () => {
    const door = new Door();
    const app = platform(door);
    expect(await handle(TRIGGERS.onCommentCreate, created(), app)).toEqual(OK);
    expect(await handle(TRIGGERS.onCommentUpdate, edited(), app)).toEqual(OK);
    expect(await handle(TRIGGERS.onCommentReport, reported(), app)).toEqual(OK);
    expect(await handle(TRIGGERS.onCommentDelete, deleted(), app)).toEqual(OK);
    expect(door.has.map(({ type }) => type)).toEqual([
      'modstream.comment.v1',
      'modstream.comment-edited.v1',
      'modstream.comment-reported.v1',
      'modstream.comment-deleted.v1',
    ]);
    expect(await new Outbox(redis).counts()).toMatchObject({ sent: 4, refused: 0 });
    expect(app.logged).toEqual([]);
  });

  test('waits where the front door is down, and the job sends it', async () => {
    const door = new Door();
    door.instead = () => new Response('', { status: 503, headers: { 'retry-after': '3600' } });
    const app = platform(door);
    const texts = Array.from({ length: 45 }, (_, number) => `text ${number}`);
    for (const [number, body] of texts.entries()) {
      expect(await handle(TRIGGERS.onCommentCreate, created({ id: `t1_c${number}`, body }), app)).toEqual(OK);
    }
    expect(door.requests).toBe(1);
    expect(await new Outbox(redis).waiting()).toBe(45);
    door.instead = undefined;
    // As if the hour that the front door asked for had passed.
    await redis.del('outbox:pause');
    expect(await handle(JOB, { name: 'send-what-waits' }, app)).toEqual(OK);
    expect(door.has.map(({ data }) => 'body' in data && data.body)).toEqual(texts);
    expect(await new Outbox(redis).waiting()).toBe(0);
  });

  test('whose comment is deleted is not sent any more', async () => {
    const door = new Door();
    door.instead = () => new Response('', { status: 500 });
    const app = platform(door);
    for (const number of Array(30).keys()) {
      await handle(TRIGGERS.onCommentCreate, created({ id: `t1_c${number}` }), app);
    }
    await handle(TRIGGERS.onCommentDelete, deleted({ commentId: 't1_c25', source: 1 }), app);
    expect(await new Outbox(redis).waiting()).toBe(30);
    expect(await new Outbox(redis).counts()).toMatchObject({ withdrawn: 1 });
  });

  test('of which there is no event is counted', async () => {
    const app = platform(new Door());
    expect(await handle(TRIGGERS.onCommentCreate, created({ body: '' }), app)).toEqual(OK);
    expect(await handle(TRIGGERS.onCommentUpdate, undefined, app)).toEqual(OK);
    expect(await new Outbox(redis).counts()).toMatchObject({ skipped: 2 });
    expect(app.logged).toEqual([
      '{"event":"skipped","trigger":"created","reason":"no_text"}',
      '{"event":"skipped","trigger":"edited","reason":"no_id"}',
    ]);
  });

  test('that can not be kept is said to have failed', async () => {
    const app = platform(new Door());
    app.redis = { ...app.redis, incrBy: () => Promise.reject(new Error('quota')) };
    expect(await handle(TRIGGERS.onCommentCreate, created(), app)).toEqual({ status: 500, body: {} });
    expect(app.logged.join()).toContain('quota');
  });
});

describe('settings', () => {
  notConfigured('what comes before they are made waits, and a moderator is told what to do', async () => {
    const door = new Door();
    const app = platform(door);
    expect(await handle(TRIGGERS.onCommentCreate, created(), app)).toEqual(OK);
    expect(door.requests).toBe(0);
    expect(await new Outbox(redis).waiting()).toBe(1);
    expect(app.logged.join()).toMatch(/"event":"settings".*frontDoor is missing/);
    expect(await handle(STATE, {}, app)).toMatchObject({
      body: { showToast: { text: expect.stringMatching(/^1 wait, 0 sent.*frontDoor is missing/) as string } },
    });
    app.setting = (name) => Promise.resolve(name === 'frontDoor' ? CONFIGURED.frontDoor : undefined);
    expect(await handle(STATE, {}, app)).toMatchObject({
      body: { showToast: { text: expect.stringContaining('key is missing') as string } },
    });
  });

  test('an address is looked at before it is taken', async () => {
    const check = async (value: unknown) =>
      (
        await handle(
          config.settings.global.frontDoor.validationEndpoint,
          { value, isEditing: true },
          platform(new Door()),
        )
      ).body;
    expect(await check('https://modstream.example.com')).toEqual({ success: true });
    expect(await check('http://modstream.example.com')).toMatchObject({ success: false });
    expect(await check('https://elsewhere.example')).toMatchObject({
      error: expect.stringContaining('devvit.json') as string,
    });
    expect(await check(undefined)).toMatchObject({ success: false });
  });

  test('the key is in no log and in no answer', async () => {
    const door = new Door();
    door.instead = () => new Response('', { status: 401 });
    const app = platform(door);
    await handle(TRIGGERS.onCommentCreate, created(), app);
    const { body } = await handle(STATE, {}, app);
    expect(JSON.stringify(body)).toContain('modstream key create');
    expect(JSON.stringify([body, app.logged])).not.toContain(CONFIGURED.key);
  });
});

describe('devvit.json', () => {
  test('is what the platform takes', () => {
    const find = createRequire(import.meta.url).resolve;
    const schema = (name: string) =>
      JSON.parse(readFileSync(find(`@devvit/shared-types/schemas/${name}.json`), 'utf8')) as object;
    const ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: true });
    const products = 'https://developers.reddit.com/schema/products.json';
    const validate = ajv.addSchema(schema('products'), products).compile(schema('config-file.v1'));
    expect(validate(config) || validate.errors).toBe(true);
  });

  test('names each endpoint that there is, and no other', async () => {
    const named = JSON.stringify(config).match(/\/internal\/[a-z/-]+/g);
    expect([...new Set(named)].sort()).toEqual([...HANDLERS.keys()].sort());
    expect(await handle('/internal/other', {}, platform(new Door()))).toEqual({ status: 404, body: {} });
  });
});
