// The ledger, read by Go's own log code (tests/interop) and by cdp's witness, while it is served.
import {execFile} from 'node:child_process';
import assert from 'node:assert/strict';
import {copyFileSync, existsSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {promisify} from 'node:util';

import {skip, test} from './runner.mjs';
import {binary, Server} from './server.mjs';

const execute = promisify(execFile);
const interop = new URL('../../build/e2e/interop', import.meta.url).pathname;
const pause = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

// Answers about so many people, one entry each.
async function answer(server, key, from, count) {
    for (let first = from; first < from + count; first += 100)
        await server.post('/v1/consents', {
            consents: Array.from({length: Math.min(100, from + count - first)}, (_, i) => ({
                identifiers: [{type: 'email', value: `p${first + i}@shop.example`}],
                purpose: 'email_marketing',
                state: 'granted',
            })),
        }, key);
}

// A new ledger begins with the policy that is served under, so one more than was answered.
// Published within a second; asked for until then, and some more on a machine that is busy.
async function published(server, size) {
    for (let tries = 0; tries < 100; ++tries) {
        const note = await (await fetch(`${server.url}/ledger/checkpoint`)).text();
        if (Number(note.split('\n')[1]) === size) return note;
        await pause(50);
    }
    throw new Error(`${size} entries were not published in 5 s`);
}

const ledger = async (...args) => (await execute(binary, ['ledger', ...args])).stdout;

test('stock Go code verifies a live ledger: checkpoints, tiles, inclusion, growth and proofs', async () => {
    if (!existsSync(interop)) return skip('no Go');
    const server = await Server.start();
    const key = await server.key('source', 'shop', '--trust', 'server');
    const at = (name) => join(server.folder, name);
    const check = (...proofs) => execute(
        interop, [`${server.url}/ledger`, at('vkeys'), at('old'), at('new'), ...proofs]);

    await answer(server, key, 0, 300);
    await published(server, 301);
    writeFileSync(at('vkeys'), await ledger('vkey', '--data', server.data, '--all'));
    for (const index of [0, 255, 256, 299])
        writeFileSync(at(`${index}.tlog-proof`), await ledger('prove', '--data', server.data, '--index', `${index}`));
    const proofs = [0, 255, 256, 299].map((index) => at(`${index}.tlog-proof`));
    assert.match((await check(...proofs)).stdout, /301 entries included, 4 proofs hold/);

    // It grows, is killed, and its key is changed: what was seen and proved stays good.
    copyFileSync(at('new'), at('old'));
    await answer(server, key, 300, 500);
    await server.kill();
    await server.serve();
    await published(server, 801);
    assert.match((await check(...proofs)).stdout, /consistent with the tree of 301; 801 entries included/);
    await server.stop();
    await ledger('rotate', '--data', server.data);
    await server.serve();
    writeFileSync(at('vkeys'), await ledger('vkey', '--data', server.data, '--all'));
    await published(server, 802);
    assert.match((await check(...proofs)).stdout, /consistent with the tree of 301; 802 entries included/);

    // The tester sees what is wrong: a proof of another entry.
    const forged = readFileSync(proofs[0], 'utf8').replace('index 0', 'index 1');
    writeFileSync(at('forged'), forged);
    await assert.rejects(check(at('forged')), /interop:/);
    await server.remove();
});

test('stock Go code verifies what an officer is told of disclosures, row by row', async () => {
    if (!existsSync(interop)) return skip('no Go');
    const server = await Server.start();
    const shop = await server.key('source', 'shop', '--trust', 'server');
    const mailer = await server.key('channel', 'mailer', '--channel', 'email_tool');
    const at = (name) => join(server.folder, name);
    await answer(server, shop, 0, 3);
    for (let i = 0; i < 3; ++i)
        await server.get(`/v1/profiles/email:p${i}%40shop.example?purpose=email_marketing`, mailer);
    writeFileSync(at('vkeys'), await ledger('vkey', '--data', server.data));
    const asked = ['audit', 'disclosures', '--data', server.data, '--subject', 'email:p1@shop.example'];
    const told = JSON.parse((await execute(binary, asked)).stdout);
    assert.ok(told.disclosures.length > 0);
    const check = async (document) => {
        writeFileSync(at('told.json'), JSON.stringify(document));
        return (await execute(
            interop, [`${server.url}/ledger`, at('vkeys'), at('old'), at('new'), at('told.json')])).stdout;
    };
    assert.match(await check(told), new RegExp(`${told.disclosures.length} proofs hold`));
    // The tester sees what is wrong: another place in the batch.
    told.disclosures[0].proof.row.index += 1;
    await assert.rejects(check(told), /interop:/);
    await server.remove();
});

test('a witness from outside follows the ledger, and tells when it is rolled back', async () => {
    const server = await Server.start();
    const key = await server.key('source', 'shop', '--trust', 'server');
    const vkey = (await ledger('vkey', '--data', server.data)).trim();
    const state = join(server.folder, 'seen');
    const look = () => ledger('witness', '--url', server.url, '--vkey', vkey, '--state', state, '--json');

    assert.equal(JSON.parse(await look()).size, 1);
    await answer(server, key, 0, 260);
    await published(server, 261);
    assert.deepEqual([261, 260], (({size, entries}) => [size, entries])(JSON.parse(await look())));
    assert.equal(JSON.parse(await look()).entries, 0);
    assert.match(await ledger('verify', '--data', server.data), /everything fits/);

    // A younger server under the same name has seen less.
    const before = readFileSync(state, 'utf8');
    writeFileSync(state, before.replace('\n261\n', '\n262\n'));
    await assert.rejects(look(), (error) => error.code === 1);
    writeFileSync(state, before);
    const other = await Server.start();
    await assert.rejects(
        ledger('witness', '--url', other.url, '--vkey', vkey, '--state', state),
        (error) => error.code === 1 && /known keys/.test(error.stderr));
    assert.equal(JSON.parse(await look()).entries, 0);
    await other.remove();
    await server.remove();
});
