// Browser SDKs in a headless Chromium. The page comes from an origin of its own, so that every request to
// the server is cross-origin, preflights and all.
import {once} from 'node:events';
import {existsSync, mkdtempSync, readFileSync, rmSync} from 'node:fs';
import http from 'node:http';
import {createRequire} from 'node:module';
import {tmpdir} from 'node:os';
import {join} from 'node:path';

const modules = new URL('../../build/e2e/node_modules/', import.meta.url).pathname;
const load = createRequire(new URL('../../build/e2e/package.json', import.meta.url));
const chromium_path = process.env.CDP_CHROMIUM ?? '/usr/bin/chromium';

export const why_not = existsSync(chromium_path) ? null : `no ${chromium_path}`;

const scripts = {
    '/segment.js': '@segment/analytics-next/dist/umd/index.js',
    '/rudder.js': '@rudderstack/analytics-js/dist/npm/modern/bundled/umd/index.js',
};

export class Browser {
    static async start() {
        const browser = new Browser();
        browser.profile = mkdtempSync(join(tmpdir(), 'cdp-chromium-'));
        browser.pages = http.createServer((request, response) => {
            const script = scripts[request.url];
            response.writeHead(200, {'Content-Type': script ? 'text/javascript' : 'text/html'});
            response.end(script ? readFileSync(modules + script) : html);
        });
        browser.pages.listen(0, '127.0.0.1');
        await once(browser.pages, 'listening');
        browser.origin = `http://127.0.0.1:${browser.pages.address().port}`;
        browser.context = await load('playwright-core').chromium.launchPersistentContext(browser.profile, {
            executablePath: chromium_path,
            headless: true,
            args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
                '--disable-background-networking', '--disable-component-update', '--disable-sync'],
        });
        return browser;
    }

    // A page without cookies or storage of the one before.
    async page() {
        await this.context.clearCookies();
        const page = await this.context.newPage();
        await page.goto(this.origin);
        await page.evaluate(() => localStorage.clear());
        await page.reload();
        return page;
    }

    async stop() {
        await this.context.close();
        this.pages.closeAllConnections();
        this.pages.close();
        rmSync(this.profile, {recursive: true, force: true});
    }
}

const html = '<!doctype html><title>Shop</title><script src="/segment.js"></script><script src="/rudder.js"></script>';

// The functions below run in the page and see nothing of this module.

async function segment_in_page({day, url, key, strategy, consent}) {
    const options = strategy && {integrations: {'Segment.io': {deliveryStrategy: strategy}}};
    const [analytics] = await AnalyticsNext.AnalyticsBrowser.load({writeKey: key, cdnURL: url}, options);
    if (consent) {
        analytics.addSourceMiddleware(({payload, next}) => {
            payload.obj.context.consent = {categoryPreferences: consent};
            next(payload);
        });
    }
    analytics.setAnonymousId(day.anonymousId);
    const handed_over = [];
    for (const call of day.calls) {
        if (call.method === 'identify') await analytics.identify(day.userId, call.traits);
        else if (call.method === 'group') await analytics.group(call.groupId, call.traits);
        else if (call.method === 'alias') await analytics.alias(day.userId, call.previousId);
        else if (call.method === 'screen') await analytics.screen('Shop', call.name, call.properties);
        else handed_over.push(analytics[call.method](call.event ?? call.name, call.properties));
    }
    await Promise.all(handed_over);  // queued for sending, not sent
}

async function rudder_in_page({day, url, key, beacon}) {
    const options = {configUrl: url, ...(beacon && {useBeacon: true, beaconQueueOptions: {flushQueueInterval: 300}})};
    const analytics = new rudderanalytics.RudderAnalytics();
    analytics.load(key, url, options);
    await new Promise((resolve) => analytics.ready(resolve));
    analytics.setAnonymousId(day.anonymousId);
    for (const call of day.calls) {
        if (call.method === 'identify') analytics.identify(day.userId, call.traits);
        else if (call.method === 'group') analytics.group(call.groupId, call.traits);
        else if (call.method === 'alias') analytics.alias(day.userId, call.previousId);
        else analytics[call.method](call.event ?? call.name, call.properties);
    }
}

const segment_methods = ['page', 'identify', 'track', 'screen', 'group', 'alias'];
const rudder_methods = ['page', 'identify', 'track', 'group', 'alias'];

export const browser_sdks = [
    {
        name: '@segment/analytics-next',
        id: 'segment-next',
        methods: segment_methods,
        run: segment_in_page,
        options: {consent: {Advertising: false, Analytics: true}},
    },
    {
        name: '@segment/analytics-next, batching',
        id: 'segment-next-batching',
        methods: segment_methods,
        run: segment_in_page,
        options: {strategy: {strategy: 'batching', config: {size: 10, timeout: 300}}},
    },
    {
        name: '@rudderstack/analytics-js',
        id: 'rudder-browser',
        methods: rudder_methods,
        run: rudder_in_page,
        drops_nulls: true,
        options: {},
    },
    {
        name: '@rudderstack/analytics-js, beacon',
        id: 'rudder-browser-beacon',
        methods: rudder_methods,
        run: rudder_in_page,
        drops_nulls: true,
        options: {beacon: true},
    },
];
