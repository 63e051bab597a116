// Signals of browsers and consent tools: obeyed for the person whose browser it is, without a configuration.
import assert from 'node:assert/strict';

import {Browser, browser_sdks, why_not} from './browser.mjs';
import {skip, test} from './runner.mjs';
import {Server} from './server.mjs';

const userId = 'signal-user';

// A customer who agreed to advertising on a till, and what the ads tool reads of her.
async function with_customer(run) {
    const server = await Server.start();
    try {
        const till = await server.key('source', 'till', '--trust', 'server');
        const web = await server.key('source', 'web', '--trust', 'client');
        const ads = await server.key('channel', 'ads', '--channel', 'ads_tool');
        const batch = (batch, key, headers = {}) => fetch(`${server.url}/v1/batch`, {
            method: 'POST',
            headers: {'Content-Type': 'application/json', Authorization: `Bearer ${key}`, ...headers},
            body: JSON.stringify({batch}),
        }).then((answer) => answer.json());
        await batch([{type: 'identify', userId, traits: {plan: 'gold'}, messageId: 'm1'}], till);
        const grant = {identifiers: [{type: 'user_id', value: userId}], purpose: 'advertising', state: 'granted'};
        assert.equal((await server.post('/v1/consents', {consents: [grant]}, till)).status, 200);
        const plan = async () => {
            const {body} = await server.get(`/v1/profiles/user_id:${userId}?purpose=advertising`, ads);
            return body.traits.plan?.value ?? body.withheld.find(({field}) => field === 'plan').reason;
        };
        assert.equal(await plan(), 'gold');
        await run({server, web, batch, plan});
    } finally {
        await server.remove();
    }
}

test('a browser with Global Privacy Control opts its owner out, from the page on', () =>
    with_customer(async ({server, web, plan}) => {
        if (why_not) skip(why_not);
        const browser = await Browser.start();
        try {
            const page = await browser.page();
            await page.setExtraHTTPHeaders({'Sec-GPC': '1'});
            const day = {userId, anonymousId: 'signal-cookie', calls: [{method: 'identify', traits: {}}]};
            await page.evaluate(browser_sdks[0].run, {day, url: server.url, key: web});
            for (let tries = 0; tries < 100 && (await plan()) === 'gold'; ++tries)
                await new Promise((done) => setTimeout(done, 50));
            assert.equal(await plan(), 'objected');
        } finally {
            await browser.stop();
        }
    }));

test('an opt-out before anybody is known counts once the browser has an owner', () =>
    with_customer(async ({web, batch, plan}) => {
        const gpc = {'Sec-GPC': '1'};
        await batch([{type: 'page', anonymousId: 'cookie', messageId: 'm2'}], web, gpc);
        assert.equal(await plan(), 'gold');
        await batch([{type: 'identify', anonymousId: 'cookie', userId, messageId: 'm3'}], web);
        assert.equal(await plan(), 'objected');
    }));

test('a TC string that cannot be read refuses advertising, and the event is taken with a warning', () =>
    with_customer(async ({web, batch, plan}) => {
        const context = {consent: {tcString: 'COtybn4PA_zT4KjACBENAPCIAE'}};
        const {results} = await batch([{type: 'page', anonymousId: 'c', userId, messageId: 'm4', context}], web);
        assert.equal(results[0].verdict, 'accepted');
        assert.match(results[0].warnings.join(), /signal_/);
        assert.equal(await plan(), 'denied');
    }));

test('the site says that it obeys Global Privacy Control', () =>
    with_customer(async ({server}) => {
        const {status, body} = await server.get('/.well-known/gpc.json');
        assert.equal(status, 200);
        assert.equal(body.gpc, true);
        // The day is that of the configuration file, and this server has none.
        assert.equal(body.lastUpdate, undefined);
    }));
