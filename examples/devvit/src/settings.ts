/** The app's settings: where the front door is, and which key opens it. */

/** The setting that is wrong, and what to do. */
export class SettingsError extends Error {
  override name = 'SettingsError';
}

/**
 * Where comments go, by the front door's address.
 *
 * @param domains the hosts that devvit.json asks Reddit to let the app send to
 */
export function commentsUrl(address: unknown, domains: readonly string[]): URL {
  const set = 'set it with `devvit settings set frontDoor`, such as https://modstream.example.com';
  if (typeof address !== 'string' || address.trim() === '') throw new SettingsError(`frontDoor is missing: ${set}`);
  if (!URL.canParse(address.trim())) throw new SettingsError(`frontDoor is no address: ${set}`);
  const url = new URL(address.trim());
  if (url.protocol !== 'https:')
    throw new SettingsError('frontDoor is not of https, and Reddit lets apps send to no other');
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') {
    throw new SettingsError(
      'frontDoor is more than an address: leave out name, password, ? and #; the key has a setting of its own',
    );
  }
  if (!domains.includes(url.hostname)) {
    throw new SettingsError(
      `frontDoor is at ${url.hostname}, which devvit.json does not name: ` +
        'write it into permissions.http.domains, and upload the app again',
    );
  }
  // An address may be that of a folder, and may be that of the route itself.
  url.pathname = `${url.pathname.replace(/\/+$/, '').replace(/\/v1\/comments$/, '')}/v1/comments`;
  return url;
}

/** A key as it goes into a header. */
export function keyOf(key: unknown): string {
  const set = 'make one with `modstream key create --role send`, and set it with `devvit settings set key`';
  if (typeof key !== 'string' || key.trim() === '') throw new SettingsError(`key is missing: ${set}`);
  if (!/^[!-~]+$/.test(key.trim())) throw new SettingsError(`key is none: ${set}`);
  return key.trim();
}

/** The message of an error about settings; other errors go on. */
export function problem(check: () => unknown): string | undefined {
  try {
    check();
    return undefined;
  } catch (error) {
    if (error instanceof SettingsError) return error.message;
    throw error;
  }
}
