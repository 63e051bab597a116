// Server SDKs: what they say reaches the platform exactly once, as said, as one person.
import assert from 'node:assert/strict';

import {day_of, differences, person_with} from './calls.mjs';
import {test} from './runner.mjs';
import {server_sdks} from './sdks.mjs';
import {Server} from './server.mjs';
import {Tap} from './tap.mjs';

const none = (found) => assert.equal(found.length, 0, `\n${found.slice(0, 10).join('\n')}`);

// A server, a tap before it and a source's key; all gone when `run` is done.
async function with_server(run) {
    const server = await Server.start();
    const tap = await Tap.start(server.url);
    try {
        const key = await server.key('source', 'shop', '--trust', 'server');
        return await run({server, tap, target: {url: tap.url, key}});
    } finally {
        await tap.stop();
        await server.remove();
    }
}

async function check_arrived({server, tap, day}) {
    none(differences({calls: day.calls, sent: tap.sent(), kept: await server.export('events')}));
}

async function check_one_person({server, day}) {
    const found = person_with(await server.export('persons'), [
        {type: 'user_id', value: day.userId},
        {type: 'anonymous_id', value: day.anonymousId},
        {type: 'email', value: day.email},
    ]);
    assert.ok(!found.wrong, found.wrong);
    const others = (await server.export('events')).filter((event) => event.person !== found.person);
    none(others.map((event) => `${event.type} ${event.messageId} belongs to ${event.person}, not to ${found.person}`));
}

for (const sdk of server_sdks) {
    test(`${sdk.name}: every call arrives once, unchanged, and belongs to one person`, () =>
        with_server(async ({server, tap, target}) => {
            const day = day_of(sdk.id, sdk.methods);
            await sdk.send(day, target);
            await check_arrived({server, tap, day});
            await check_one_person({server, day});
        }));

    if (!sdk.retries) continue;

    test(`${sdk.name}: a lost reply makes it send again, and the event still counts once`, () =>
        with_server(async ({server, tap, target}) => {
            const day = day_of(sdk.id, sdk.methods);
            tap.replies_to_lose = 2;
            await sdk.send(day, target);
            assert.equal(tap.replies_to_lose, 0);
            assert.ok(tap.requests.some((request) => request.lost));
            await check_arrived({server, tap, day});
        }));
}

for (const sdk of server_sdks.filter(({id}) => ['segment-3', 'rudder-node'].includes(id))) {
    test(`${sdk.name}: a server killed and restarted while it sends loses nothing and doubles nothing`, () =>
        with_server(async ({server, tap, target}) => {
            const day = day_of(sdk.id, sdk.methods);
            let called = 0;
            let restarted;
            await sdk.send(day, target, async () => {
                if (++called !== 25) return;
                restarted = server.kill().then(() => server.serve()).then(() => { tap.upstream = server.url; });
            });
            await restarted;
            await check_arrived({server, tap, day});
            await check_one_person({server, day});
        }));
}

test('rudder-sdk-node really sends gzip under a wrong Content-Type', () =>
    with_server(async ({tap, target}) => {
        const sdk = server_sdks.find(({id}) => id === 'rudder-node');
        await sdk.send(day_of(sdk.id, sdk.methods), target);
        for (const {headers} of tap.posts()) {
            assert.equal(headers['content-encoding'], 'gzip');
            assert.match(headers['content-type'], /x-www-form-urlencoded/);
        }
    }));

test('a server told to end answers what it took and exits 0', () =>
    with_server(async ({server, tap, target}) => {
        const sdk = server_sdks.find(({id}) => id === 'segment-3');
        const day = day_of(sdk.id, sdk.methods);
        await sdk.send(day, target);
        assert.equal(await server.stop(), 0);
        await check_arrived({server, tap, day});
    }));

test('the comparison notices an event that is lost, doubled, changed or invented', () => {
    const day = day_of('planted', ['track']);
    const sent = day.calls.map(({method, ...call}, i) => ({type: method, messageId: `m${i}`, userId: 'u', ...call}));
    const kept = sent.map((event) => ({...event, person: 'p', receivedAt: 'now'}));
    const look = (changed) => differences({calls: day.calls, sent, kept: changed}).length;
    assert.equal(look(kept), 0);
    assert.notEqual(look(kept.slice(1)), 0);
    assert.notEqual(look([...kept, kept[3]]), 0);
    assert.notEqual(look([...kept, {...kept[3], messageId: 'm-new'}]), 0);
    assert.notEqual(look([...kept, {type: 'track', messageId: 'm-new', properties: {}}]), 0);
    assert.notEqual(look([{...kept[0], context: {}}, ...kept.slice(1)]), 0);
    assert.notEqual(look([{...kept[0], properties: {...kept[0].properties, extra: 1}}, ...kept.slice(1)]), 0);
});

test('the comparison notices one human held as two persons', () => {
    const persons = [
        {person: 'p1', identifiers: [{type: 'user_id', value: 'u'}]},
        {person: 'p2', identifiers: [{type: 'email', value: 'e'}]},
    ];
    assert.equal(person_with(persons, [{type: 'user_id', value: 'u'}]).person, 'p1');
    assert.ok(person_with(persons, [{type: 'user_id', value: 'u'}, {type: 'email', value: 'e'}]).wrong);
    assert.ok(person_with(persons, [{type: 'email', value: 'nobody'}]).wrong);
});
