// A wire tap between an SDK and the server. It keeps what really went over the wire, so that a test can
// compare it with what the server kept, and it can lose a reply, as networks do. Without an upstream
// it answers by itself, which shows whether an SDK's driver works before the server is blamed.
import {once} from 'node:events';
import http from 'node:http';
import {gunzipSync} from 'node:zlib';

export class Tap {
    static async start(upstream = null) {
        const tap = new Tap();
        tap.upstream = upstream;
        tap.requests = [];      // {method, path, headers, events, status}
        tap.replies_to_lose = 0;
        tap.server = http.createServer((request, response) => tap.pass(request, response));
        tap.server.listen(0, '127.0.0.1');
        await once(tap.server, 'listening');
        tap.url = `http://127.0.0.1:${tap.server.address().port}`;
        return tap;
    }

    async pass(request, response) {
        const parts = [];
        for await (const part of request) parts.push(part);
        const body = Buffer.concat(parts);
        const seen = {
            method: request.method,
            path: request.url,
            headers: request.headers,
            events: request.method === 'POST' ? events_of(request, body) : [],
        };
        this.requests.push(seen);
        try {
            const answer = this.upstream ? await this.forward(request, body) : this.answer(seen);
            seen.status = answer.status;
            if (seen.events.length && answer.status === 200 && this.replies_to_lose > 0) {
                this.replies_to_lose--;
                seen.lost = true;
                request.socket.destroy();
                return;
            }
            response.writeHead(answer.status, answer.headers);
            response.end(answer.body);
        } catch {
            request.socket.destroy();  // what a client sees of a server that is down
        }
    }

    async forward(request, body) {
        const onward = http.request(this.upstream + request.url, {
            method: request.method,
            headers: request.headers,  // with our Host: settings documents must name the address asked
            agent: false,
        });
        onward.end(body);
        const [reply] = await once(onward, 'response');
        const parts = [];
        for await (const part of reply) parts.push(part);
        return {status: reply.statusCode, headers: reply.headers, body: Buffer.concat(parts)};
    }

    answer(seen) {
        const headers = {
            'Content-Type': 'application/json',
            'Access-Control-Allow-Origin': '*',
            'Access-Control-Allow-Methods': 'GET, HEAD, POST, OPTIONS',
            'Access-Control-Allow-Headers': seen.headers['access-control-request-headers'] ?? '*',
        };
        let body = {success: true};
        const settings = seen.path.match(/^\/v1\/projects\/([^/]+)\/settings/);
        if (settings) {
            const host = {apiKey: settings[1], apiHost: `${this.url.slice(7)}/v1`, protocol: 'http'};
            body = {integrations: {'Segment.io': host}, metrics: {sampleRate: 0}};
        } else if (seen.path.startsWith('/sourceConfig')) {
            body = {source: {id: 's', config: {}, destinations: []}};
        }
        return {status: 200, headers, body: JSON.stringify(body)};
    }

    // Each event that reached the server, once, in the form in which it was sent first.
    sent() {
        const first = new Map();
        for (const event of this.requests.flatMap((request) => request.events)) {
            if (!first.has(event.messageId)) first.set(event.messageId, event);
        }
        return [...first.values()];
    }

    posts() {
        return this.requests.filter((request) => request.events.length);
    }

    async stop() {
        this.server.closeAllConnections();
        this.server.close();
        await once(this.server, 'close');
    }
}

function events_of(request, body) {
    try {
        const plain = request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body;
        const parsed = JSON.parse(plain);
        return parsed.batch ?? (parsed.messageId ? [parsed] : []);
    } catch {
        return [];
    }
}
