// What leaves: a channel reads through its token what consent and its registration allow, and no more.
import assert from 'node:assert/strict';
import {createHash} from 'node:crypto';

import {test} from './runner.mjs';
import {server_sdks} from './sdks.mjs';
import {Server} from './server.mjs';

const userId = 'gate-user';
const email = 'gate@shop.example';
const hashed = createHash('sha256').update(email).digest('hex');

// One customer, told by @segment/analytics-node, and a reader for each tool.
async function with_customer(run) {
    const server = await Server.start();
    try {
        const till = await server.key('source', 'till', '--trust', 'server');
        const tools = {
            email_marketing: await server.key('channel', 'newsletter', '--channel', 'email_tool'),
            advertising: await server.key('channel', 'ads', '--channel', 'ads_tool'),
        };
        const sdk = server_sdks.find(({id}) => id === 'segment-3');
        const traits = {email, email_verified: true, firstName: 'Person', home_address: 'never for a tool'};
        const calls = [{method: 'identify', traits}];
        await sdk.send({userId, anonymousId: 'gate-cookie', calls}, {url: server.url, key: till});
        await run({
            server,
            till,
            read: (purpose, who = `user_id:${userId}`) =>
                server.get(`/v1/profiles/${who}?purpose=${purpose}`, tools[purpose]),
            // Answers count by the millisecond, so each waits for one of its own.
            answer: async (purpose, state) => {
                const consent = {identifiers: [{type: 'email', value: email}], purpose, state, scope: 'person'};
                const reply = await server.post('/v1/consents', {consents: [consent]}, till);
                assert.equal(reply.status, 200, JSON.stringify(reply.body));
                await new Promise((resolve) => setTimeout(resolve, 2));
            },
        });
    } finally {
        await server.remove();
    }
}

test('a tool sees nothing of a person who was never asked', () =>
    with_customer(async ({read}) => {
        for (const purpose of ['email_marketing', 'advertising']) {
            const {status, body} = await read(purpose);
            assert.equal(status, 200);
            assert.deepEqual(body.traits, {});
            assert.notEqual(body.withheld.length, 0);
            assert.ok(!JSON.stringify(body).includes(email));
        }
    }));

test('a grant shows the address to the e-mail tool, by whatever identifier it asks', () =>
    with_customer(async ({read, answer}) => {
        await answer('email_marketing', 'granted');
        for (const who of [`user_id:${userId}`, `email:${email}`, 'anonymous_id:gate-cookie']) {
            const {status, body} = await read('email_marketing', who);
            assert.equal(status, 200, who);
            assert.equal(body.traits.email?.value, email, who);
            assert.equal(body.traits.email.source, 'till');
            assert.ok(Date.parse(body.traits.email.time) > 0);
        }
    }));

test('the ads tool gets the address as its SHA-256 only', () =>
    with_customer(async ({read, answer}) => {
        await answer('advertising', 'granted');
        const text = JSON.stringify((await read('advertising')).body);
        assert.ok(text.includes(hashed), text);
        assert.ok(!text.includes(email), text);
    }));

test('a grant for one purpose opens nothing for another', () =>
    with_customer(async ({read, answer}) => {
        await answer('email_marketing', 'granted');
        const text = JSON.stringify((await read('advertising')).body);
        assert.ok(!text.includes(hashed) && !text.includes(email), text);
    }));

test('what no tool is registered for never leaves', () =>
    with_customer(async ({read, answer}) => {
        for (const purpose of ['email_marketing', 'advertising']) {
            await answer(purpose, 'granted');
            assert.ok(!JSON.stringify((await read(purpose)).body).includes('never for a tool'));
        }
    }));

test('the read after a withdrawal shows it, a hundred times in a row', () =>
    with_customer(async ({read, answer}) => {
        for (let i = 0; i < 100; i++) {
            await answer('email_marketing', 'granted');
            assert.equal((await read('email_marketing')).body.traits.email?.value, email, `grant ${i}`);
            await answer('email_marketing', 'withdrawn');
            const {body} = await read('email_marketing');
            assert.ok(!JSON.stringify(body).includes(email), `withdrawal ${i}: ${JSON.stringify(body)}`);
        }
    }));

test('a withdrawal survives kill -9', () =>
    with_customer(async ({server, read, answer}) => {
        await answer('email_marketing', 'granted');
        await answer('email_marketing', 'withdrawn');
        await server.kill();
        await server.serve();
        assert.ok(!JSON.stringify((await read('email_marketing')).body).includes(email));
    }));

test('no key is 401, the wrong role 403, a stranger 404, each as a problem document', () =>
    with_customer(async ({server, till, read}) => {
        const path = `/v1/profiles/user_id:${userId}?purpose=email_marketing`;
        const refusals = [
            [401, await server.get(path)],
            [401, await server.get(path, `c${'0'.repeat(24)}`)],
            [403, await server.get(path, till)],
            [404, await read('email_marketing', 'user_id:nobody')],
        ];
        for (const [status, reply] of refusals) {
            assert.equal(reply.status, status);
            assert.match(reply.headers.get('content-type'), /application\/problem\+json/);
            assert.equal(reply.body.status, status);
        }
    }));

test('settings documents lead browser SDKs back here', () =>
    with_customer(async ({server, till}) => {
        const segment = (await server.get(`/v1/projects/${till}/settings`)).body;
        assert.equal(segment.integrations['Segment.io'].apiKey, till);
        assert.equal(segment.integrations['Segment.io'].apiHost, `${new URL(server.url).host}/v1`);
        assert.equal(segment.metrics.sampleRate, 0);
        const rudder = (await server.get(`/sourceConfig/?p=npm&v=3.34.1&writeKey=${till}`, till)).body;
        assert.deepEqual(rudder.source.destinations, []);
    }));
