// npm's perspective-api-client at the front door. It knows one address, which an interceptor changes: what its users must do.
// usage: node perspective.js ADDRESS KEY; the packages are beside MODSTREAM_TEST_TOOLS.
'use strict';

const assert = require('node:assert');
const { createRequire } = require('node:module');
const { join } = require('node:path');

const packages = createRequire(join(process.env.MODSTREAM_TEST_TOOLS, 'package.json'));
const axios = packages('axios');
const Perspective = packages('perspective-api-client');

const [address, apiKey] = process.argv.slice(2);
axios.interceptors.request.use((config) => {
  config.url = config.url.replace('https://commentanalyzer.googleapis.com', address);
  return config;
});

(async () => {
  const perspective = new Perspective({ apiKey });
  const insult = await perspective.analyze('You are an idiot.', { attributes: ['toxicity', 'insult'] });
  for (const attribute of ['TOXICITY', 'INSULT']) {
    assert(insult.attributeScores[attribute].summaryScore.value > 0.7, JSON.stringify(insult));
  }
  const thanks = await perspective.analyze('Thank you, that helped.', { attributes: ['toxicity'] });
  assert(thanks.attributeScores.TOXICITY.summaryScore.value < 0.3, JSON.stringify(thanks));
  const refused = async (text, options, part) => {
    await assert.rejects(perspective.analyze(text, options), (error) => {
      const said = `${error.message} ${JSON.stringify(error.response ? error.response.data : {})}`;
      assert(said.includes(part), said);
      return true;
    });
  };
  await refused('x', { attributes: ['spam'] }, 'SPAM');
  await refused('', { attributes: ['toxicity'], validate: false }, 'Comment must be non-empty.');
  const stranger = new Perspective({ apiKey: 'no-key' });
  await assert.rejects(stranger.analyze('x', { attributes: ['toxicity'] }), /API key not valid/);
})().catch((error) => {
  console.error(error);
  process.exit(1);
});
