/**
 * What Reddit is called in modstream's events. A comment is known by this name and its id: with another name, all comments are other
 * comments. Whoever also sends a dump of Reddit's says `modstream send --source https://www.reddit.com`, or writes here what they say.
 */
export const SOURCE = 'https://www.reddit.com';
