// How to make each server SDK, unmodified, make the calls of a day. A driver's `send` returns when the SDK
// says that everything is delivered.
import {createRequire} from 'node:module';

const load = createRequire(new URL('../../build/e2e/package.json', import.meta.url));

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const all = ['page', 'identify', 'track', 'screen', 'group', 'alias'];

// Pages and the first call are anonymous, as in a browser; alias names the cookie.
function payload(day, {method, ...call}) {
    if (method === 'alias') return {userId: day.userId, previousId: call.previousId};
    if (method === 'page') return {anonymousId: day.anonymousId, ...call};
    if (method === 'identify') return {userId: day.userId, anonymousId: day.anonymousId, ...call};
    return {userId: day.userId, ...call};
}

function segment(version) {
    return {
        name: `@segment/analytics-node ${version}`,
        id: `segment-${version}`,
        methods: all,
        retries: true,
        async send(day, {url, key}, between = () => {}) {
            const {Analytics} = load(`segment-${version}`);
            const analytics = new Analytics({writeKey: key, host: url, flushAt: 15, flushInterval: 50, maxRetries: 10});
            const failed = [];
            analytics.on('error', (error) => failed.push(error));
            for (const call of day.calls) {
                analytics[call.method](payload(day, call));
                await between();
            }
            await analytics.closeAndFlush({timeout: 60_000});
            if (failed.length) throw new Error(`the SDK gave up: ${JSON.stringify(failed[0])}`);
        },
    };
}

// analytics-node 6 and its descendant rudder-sdk-node. The first call leaves at once; later ones when 20
// wait or at flush().
function classic({name, id, make}) {
    return {
        name,
        id,
        methods: all,
        retries: true,
        async send(day, {url, key}, between = () => {}) {
            const failed = [];
            const analytics = make(url, key, (error) => failed.push(error));
            let waiting = 0;
            const done = () => waiting--;
            for (const call of day.calls) {
                waiting++;
                analytics[call.method](payload(day, call), done);
                await between();
            }
            for (let i = 0; waiting > 0 && i < 600; i++) {
                await analytics.flush();
                await pause(50);
            }
            if (failed.length || waiting) throw new Error(`the SDK gave up: ${failed[0] ?? `${waiting} calls open`}`);
        },
    };
}

const analytics_node_6 = classic({
    name: 'analytics-node 6',
    id: 'analytics-node-6',
    make(url, key, errorHandler) {
        const Analytics = load('analytics-node');
        return new Analytics(key, {host: url, flushInterval: 50, retryCount: 8, errorHandler});
    },
});

const rudder_node = classic({
    name: '@rudderstack/rudder-sdk-node',
    id: 'rudder-node',
    make(url, key, errorHandler) {
        const loaded = load('@rudderstack/rudder-sdk-node');
        const Analytics = loaded.default ?? loaded;
        return new Analytics(key, {dataPlaneUrl: url, flushInterval: 50, retryCount: 8, errorHandler});
    },
});

const jitsu_node = {
    name: '@jitsu/js in Node',
    id: 'jitsu-node',
    methods: ['page', 'identify', 'track', 'group'],
    retries: false,  // it drops on any failure
    async send(day, {url, key}) {
        const {jitsuAnalytics} = load('@jitsu/js');
        const analytics = jitsuAnalytics({host: url, writeKey: key});
        await analytics.setAnonymousId(day.anonymousId);
        for (const call of day.calls) {
            if (call.method === 'identify') await analytics.identify(day.userId, call.traits);
            else if (call.method === 'group') await analytics.group(call.groupId, call.traits);
            else await analytics[call.method](call.event ?? call.name, call.properties);
        }
    },
};

export const server_sdks = [segment(1), segment(2), segment(3), analytics_node_6, rudder_node, jitsu_node];
