// The real binary on a data folder of its own, driven only through what DESIGN section 15 promises.
import {execFile, spawn} from 'node:child_process';
import {once} from 'node:events';
import {closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {createInterface} from 'node:readline';
import {promisify} from 'node:util';

const execute = promisify(execFile);
export const binary = process.env.CDP_BINARY ?? new URL('../../build/cdp', import.meta.url).pathname;

const running = new Set();

// Removes every server that a failed claim left behind.
export async function stop_all() {
    await Promise.all([...running].map((server) => server.remove()));
}

export class Server {
    // `config`: TOML; without, the defaults.
    static async start(config) {
        const server = new Server();
        running.add(server);
        server.folder = mkdtempSync(join(tmpdir(), 'cdp-e2e-'));
        server.data = join(server.folder, 'data');
        if (config) {
            server.config = join(server.folder, 'cdp.toml');
            writeFileSync(server.config, config);
        }
        const {stdout} = await execute(binary, ['init', '--data', server.data]);
        server.admin = stdout.match(/\bc[a-z0-9]{24}\b/)[0];
        await server.serve();
        return server;
    }

    // Resolves when the server accepts connections; `url` is new after every start.
    async serve() {
        this.log = join(this.folder, 'serve.log');
        const log = openSync(this.log, 'a');
        const config = this.config ? ['--config', this.config] : [];
        this.process = spawn(binary, ['serve', '--data', this.data, '--listen', '127.0.0.1:0', ...config], {
            stdio: ['ignore', 'pipe', log],
        });
        closeSync(log);
        this.exited = once(this.process, 'exit');
        for await (const line of createInterface({input: this.process.stdout})) {
            const ready = line.match(/listening on (http:\/\/\S+)/);
            if (ready) {
                this.url = ready[1];
                this.process.stdout.resume();
                return;
            }
        }
        throw new Error(`the server did not start:\n${this.log_tail()}`);
    }

    log_tail() {
        return readFileSync(this.log, 'utf8').split('\n').slice(-20).join('\n');
    }

    async key(role, name, ...more) {
        const args = ['keys', 'add', '--data', this.data, '--role', role, '--name', name, ...more];
        return (await execute(binary, args)).stdout.trim();
    }

    async export(kind) {
        const {stdout} = await execute(
            binary, ['export', kind, '--data', this.data, '--reason', 'end-to-end test'],
            {maxBuffer: 1 << 30});
        return stdout.split('\n').filter(Boolean).map((line) => JSON.parse(line));
    }

    async get(path, key) {
        const answer = await fetch(this.url + path, {headers: key ? {Authorization: `Bearer ${key}`} : {}});
        return {status: answer.status, headers: answer.headers, body: await answer.json()};
    }

    async post(path, body, key) {
        const answer = await fetch(this.url + path, {
            method: 'POST',
            headers: {'Content-Type': 'application/json', ...(key && {Authorization: `Bearer ${key}`})},
            body: JSON.stringify(body),
        });
        return {status: answer.status, headers: answer.headers, body: await answer.json()};
    }

    async kill() {
        this.process.kill('SIGKILL');
        await this.exited;
    }

    // The exit code of a server that was asked to end.
    async stop() {
        this.process.kill('SIGTERM');
        return (await this.exited)[0];
    }

    async remove() {
        running.delete(this);
        if (this.process && this.process.exitCode === null && this.process.signalCode === null) await this.kill();
        rmSync(this.folder, {recursive: true, force: true});
    }
}
