// The end-to-end tests: node tests/e2e/run.mjs [PART OF A CLAIM]. `./dev e2e` installs what they need.
import {existsSync} from 'node:fs';

import './sdk_claims.mjs';
import './channel_claims.mjs';
import './browser_claims.mjs';
import './ledger_claims.mjs';
import './signal_claims.mjs';
import './agent_claims.mjs';
import {run_all} from './runner.mjs';
import {binary, stop_all} from './server.mjs';

if (!existsSync(binary)) {
    console.error(`no ${binary}: run ./dev build`);
    process.exit(2);
}
// analytics-node 6 and rudder-sdk-node reject promises that nobody awaits when a request fails for good.
process.on('unhandledRejection', (reason) => console.log(`      unhandled rejection: ${reason}`));
const good = await run_all('e2e', process.argv[2] ?? '');
await stop_all();
process.exit(good ? 0 : 1);
