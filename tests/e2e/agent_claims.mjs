// The Data Rights Protocol, spoken by an agent that signs with another implementation of Ed25519 than the server's.
import assert from 'node:assert/strict';
import {generateKeyPairSync, sign} from 'node:crypto';

import {test} from './runner.mjs';
import {Server} from './server.mjs';

const kConfig = '[drp]\nbusiness_id = "SHOP"\nrevoke_window_minutes = 0\n';

class Agent {
    constructor(server, id) {
        this.server = server;
        this.id = id;
        const {publicKey, privateKey} = generateKeyPairSync('ed25519');
        this.secret = privateKey;
        this.verify_key = Buffer.from(publicKey.export({format: 'jwk'}).x, 'base64url').toString('base64');
    }

    // libsodium's combined mode: the signature, then what it signs.
    message(members) {
        const from_now = (seconds) => new Date(Date.now() + seconds * 1000).toISOString();
        const text = Buffer.from(JSON.stringify({
            'agent-id': this.id,
            'business-id': 'SHOP',
            'issued-at': from_now(-1),
            'expires-at': from_now(540),
            'drp.version': '1.0',
            ...members,
        }));
        return Buffer.concat([sign(null, text, this.secret), text]).toString('base64');
    }

    async send(method, path, body) {
        const headers = {'Content-Type': 'text/plain', ...(this.token && {Authorization: `Bearer ${this.token}`})};
        const answer = await fetch(this.server.url + path, {method, headers, body});
        return {status: answer.status, body: JSON.parse(await answer.text() || 'null')};
    }

    async until_done(id) {
        for (let tries = 0; tries < 100; ++tries) {
            const {body} = await this.send('GET', `/v1/data-rights-request/${id}`);
            if (body.status !== 'in_progress') return body;
            await new Promise((done) => setTimeout(done, 50));
        }
        throw new Error(`request ${id} was not done in 5 s`);
    }
}

test('an agent that signs with OpenSSL is set up, asks by the Data Rights Protocol and is answered', async () => {
    const server = await Server.start(kConfig);
    const agent = new Agent(server, 'HELPER');
    const registered = await server.post('/v1/privacy/agents', {
        id: agent.id,
        name: 'Helps people',
        verify_key: agent.verify_key,
    }, server.admin);
    assert.equal(registered.status, 200);
    assert.equal(registered.body.verify_key, agent.verify_key);

    const pair = await agent.send('POST', `/v1/agent/${agent.id}`, agent.message({}));
    assert.equal(pair.status, 200);
    agent.token = pair.body.token;
    assert.deepEqual((await agent.send('GET', `/v1/agent/${agent.id}`)).body, {});

    const asking = {exercise: 'access', regime: 'ccpa', email: 'a@shop.example', email_verified: true};
    const taken = await agent.send('POST', '/v1/data-rights-request', agent.message(asking));
    assert.equal(taken.status, 200);
    assert.equal(taken.body.status, 'in_progress');
    const done = await agent.until_done(taken.body.request_id);
    assert.equal(done.status, 'denied');
    assert.equal(done.reason, 'no_match');

    // One bit of what was signed, and another's key.
    const bytes = Buffer.from(agent.message(asking), 'base64');
    bytes[bytes.length - 1] ^= 1;
    const tampered = await agent.send('POST', '/v1/data-rights-request', bytes.toString('base64'));
    assert.deepEqual([tampered.status, tampered.body.code, tampered.body.fatal], [403, '403', true]);
    const forged = new Agent(server, agent.id).message(asking);
    assert.equal((await agent.send('POST', '/v1/data-rights-request', forged)).status, 403);
    await server.remove();
});
