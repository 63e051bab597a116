// A test is a claim and a function that tries to break it. Claims run in the order given; the last line
// printed is the count.
const claims = [];

export class Skip extends Error {}

export function test(claim, run) {
    claims.push({claim, run});
}

export function skip(reason) {
    throw new Skip(reason);
}

// Runs every claim that contains `pick`; true when none failed.
export async function run_all(name, pick, limit_ms = 90_000) {
    const count = {passed: 0, failed: 0, skipped: 0};
    for (const {claim, run} of claims.filter((one) => one.claim.includes(pick))) {
        const started = Date.now();
        let timer;
        const late = new Promise((_, reject) => {
            timer = setTimeout(() => reject(new Error(`not done after ${limit_ms} ms`)), limit_ms);
        });
        try {
            await Promise.race([run(), late]);
            count.passed++;
            console.log(`ok    ${claim} (${Date.now() - started} ms)`);
        } catch (error) {
            if (error instanceof Skip) {
                count.skipped++;
                console.log(`skip  ${claim}: ${error.message}`);
            } else {
                count.failed++;
                console.log(`FAIL  ${claim}\n${String(error.stack ?? error).replace(/^/gm, '      ')}`);
            }
        } finally {
            clearTimeout(timer);
        }
    }
    console.log(`${name}: ${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped`);
    return count.failed === 0 && count.passed + count.skipped > 0;
}
