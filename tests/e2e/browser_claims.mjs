// Browser SDKs: the same promises across origins, in a real Chromium.
import assert from 'node:assert/strict';

import {Browser, browser_sdks, why_not} from './browser.mjs';
import {day_of, differences, person_with} from './calls.mjs';
import {skip, test} from './runner.mjs';
import {Server} from './server.mjs';
import {Tap} from './tap.mjs';

async function with_page(run) {
    if (why_not) skip(why_not);
    const browser = await Browser.start();
    const server = await Server.start();
    const tap = await Tap.start(server.url);
    try {
        const key = await server.key('source', 'web', '--trust', 'client');
        return await run({page: await browser.page(), server, tap, target: {url: tap.url, key}});
    } finally {
        await browser.stop();
        await tap.stop();
        await server.remove();
    }
}

// Until the server has answered that many different events; browser SDKs do not say when they are done.
async function answered(tap, count) {
    const deadline = Date.now() + 20_000;
    const done = () => new Set(tap.posts().filter(({status}) => status === 200)
        .flatMap(({events}) => events.map(({messageId}) => messageId))).size;
    while (done() < count) {
        if (Date.now() > deadline) throw new Error(`${done()} of ${count} events were answered with 200`);
        await new Promise((resolve) => setTimeout(resolve, 50));
    }
}

for (const sdk of browser_sdks) {
    test(`${sdk.name}: every call arrives once, unchanged, and belongs to one person`, () =>
        with_page(async ({page, server, tap, target}) => {
            const day = day_of(sdk.id, sdk.methods);
            await page.evaluate(sdk.run, {day, ...target, ...sdk.options});
            await answered(tap, day.calls.length);
            const found = differences({
                calls: day.calls, sent: tap.sent(), kept: await server.export('events'), drops_nulls: sdk.drops_nulls});
            assert.equal(found.length, 0, `\n${found.slice(0, 10).join('\n')}`);
            // The source is a web page, so its e-mail is unverified and need not join.
            const person = person_with(await server.export('persons'), [
                {type: 'user_id', value: day.userId},
                {type: 'anonymous_id', value: day.anonymousId},
            ]);
            assert.ok(!person.wrong, person.wrong);
        }));
}

test('analytics-next: one preflight per path, kept for later requests', () =>
    with_page(async ({page, tap, target}) => {
        const sdk = browser_sdks[0];
        const day = day_of(sdk.id, ['track']);
        await page.evaluate(sdk.run, {day: {...day, calls: day.calls.slice(0, 1)}, ...target});
        await answered(tap, 1);
        await page.evaluate(sdk.run, {day: {...day, calls: day.calls.slice(1)}, ...target});
        await answered(tap, day.calls.length);
        assert.equal(tap.requests.filter(({method}) => method === 'OPTIONS').length, 1);
    }));

test('analytics-next: leaving the page in the middle of a batch loses no event', () =>
    with_page(async ({page, server, tap, target}) => {
        const sdk = browser_sdks.find(({id}) => id === 'segment-next-batching');
        const day = day_of('leaver', ['track']);
        day.calls = day.calls.slice(0, 7);
        const slow = {strategy: {strategy: 'batching', config: {size: 100, timeout: 60_000}}};
        await page.evaluate(sdk.run, {day, ...target, ...slow});
        await page.goto('about:blank');
        await answered(tap, day.calls.length);
        const found = differences({calls: day.calls, sent: tap.sent(), kept: await server.export('events')});
        assert.equal(found.length, 0, `\n${found.join('\n')}`);
    }));

test('a page sees a refusal as a status, not as a network error', () =>
    with_page(async ({page, server, target}) => {
        const post = (path, authorization, body) => page.evaluate(async ({url, authorization, body}) => {
            const answer = await fetch(url, {method: 'POST', headers: {authorization}, body});
            return {status: answer.status, type: answer.headers.get('content-type')};
        }, {url: server.url + path, authorization, body});
        const event = JSON.stringify({userId: 'u', event: 'E'});
        const basic = (key) => `Basic ${Buffer.from(`${key}:`).toString('base64')}`;
        assert.equal((await post('/v1/t', basic(`c${'0'.repeat(24)}`), event)).status, 401);
        assert.equal((await post('/v1/t', basic(target.key), '{')).status, 400);
        assert.equal((await post('/v1/t', basic(target.key), event)).status, 200);
    }));

test('a stamp of refusal from the page keeps advertising away from the person', () =>
    with_page(async ({page, server, tap, target}) => {
        const sdk = browser_sdks[0];
        const day = day_of('stamped', ['identify', 'track']);
        await page.evaluate(sdk.run, {day, ...target, consent: {Advertising: false}});
        await answered(tap, day.calls.length);
        const stamps = (await server.export('consents')).filter(({purpose}) => purpose === 'advertising');
        assert.ok(stamps.length > 0, 'no consent record came from the stamp');
        const channel = await server.key('channel', 'ads', '--channel', 'ads_tool');
        const read = await server.get(`/v1/profiles/user_id:${day.userId}?purpose=advertising`, channel);
        assert.equal(read.status, 200);
        assert.deepEqual(read.body.traits, {});
        assert.notEqual(read.body.withheld.length, 0);
    }));
