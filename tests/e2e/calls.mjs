// One person's day as SDK calls, and the comparison of what was asked, sent and kept.
import {isDeepStrictEqual} from 'node:util';

// What JSON allows and careless servers break.
export const awkward = {
    emoji: '👩‍👩‍👧‍👦 café',
    control: 'a\u0001b\u0000c"\\/',
    numbers: [Number.MAX_SAFE_INTEGER, 1e21, 1e-7, -0.5, 0],
    'dotted.key': 1,
    'a key with spaces': 2,
    $dollar: 3,
    '': 'empty key',
    nested: {null: null, list: [null, [], {}, {deep: {deeper: [true, false]}}]},
};

// Methods an SDK lacks are left out by its driver. `call` marks each call, so that it can be counted.
export function day_of(who, methods) {
    const person = {userId: `${who}-user`, anonymousId: `${who}-cookie`};
    const traits = {email: `${who}@shop.example`, firstName: 'Person', plan: 'free', call: 'identify'};
    const calls = [
        {method: 'page', name: 'Home', properties: {path: '/', call: 'page'}},
        {method: 'identify', traits},
        {method: 'track', event: 'Awkward', properties: {...awkward, call: 'awkward'}},
        {method: 'screen', name: 'Basket', properties: {call: 'screen'}},
        {method: 'group', groupId: `${who}-company`, traits: {name: 'Shop', call: 'group'}},
        {method: 'alias', previousId: person.anonymousId},
    ].filter((call) => methods.includes(call.method));
    for (let i = 0; i < 40; i++) {
        calls.push({method: 'track', event: 'Product Viewed', properties: {sku: `sku-${i}`, call: `view-${i}`}});
    }
    return {...person, email: traits.email, calls};
}

const mark = (event) => `${event.type}/${event.properties?.call ?? event.traits?.call ?? event.context?.traits?.call ?? ''}`;
const mark_of_call = (call) => `${call.method}/${call.properties?.call ?? call.traits?.call ?? ''}`;

function without_export_fields({person, receivedAt, ...event}) {
    return event;
}

// The export leaves out the key that browser SDKs put into every event.
function without_key({writeKey, ...event}) {
    return event;
}

// Everything that is wrong with `kept` (lines of the events export): a call that is not there exactly
// once, an event that is not what was sent, an event nobody sent. Empty when all is well.
export function differences({calls, sent, kept, drops_nulls = false}) {
    const found = [];
    for (const call of calls) {
        const there = kept.filter((event) => same_call(event, call));
        if (there.length !== 1) found.push(`${mark_of_call(call)} is there ${there.length} times`);
        else if (!drops_nulls && !carries(there[0], call)) found.push(`${mark_of_call(call)} has other properties`);
    }
    const by_id = new Map();
    for (const event of kept) {
        if (!event.messageId) found.push(`${mark(event)} has no messageId`);
        if (by_id.has(event.messageId)) found.push(`${event.messageId} is there twice`);
        by_id.set(event.messageId, without_export_fields(event));
    }
    for (const event of sent) {
        const there = by_id.get(event.messageId);
        if (!there) found.push(`${event.messageId} (${mark(event)}) was sent and is not there`);
        else if (!isDeepStrictEqual(there, without_key(event))) {
            found.push(`${mark(event)} changed:\n  sent ${JSON.stringify(event)}\n  kept ${JSON.stringify(there)}`);
        }
        by_id.delete(event.messageId);
    }
    for (const id of by_id.keys()) found.push(`${id} was never sent`);
    return found;
}

// SDKs add properties of their own (a page's address); what the call gave must be there unchanged.
function carries(event, call) {
    const asked = call.properties ?? call.traits ?? {};
    const there = event.properties ?? event.traits ?? {};
    return Object.keys(asked).every((name) => isDeepStrictEqual(asked[name], there[name]));
}

function same_call(event, call) {
    if (event.type !== call.method) return false;
    // Later events of some SDKs repeat the traits of identify in their context, so only identify may
    // carry its mark there.
    if (call.method === 'alias') return event.previousId === call.previousId;
    const own = event.properties?.call ?? event.traits?.call;
    const mark = call.method === 'identify' ? own ?? event.context?.traits?.call : own;
    return mark === (call.properties ?? call.traits).call;
}

// The one person that holds all these identifiers; a sentence about what is wrong instead, if there is none.
export function person_with(persons, identifiers) {
    const holders = identifiers.map(({type, value}) =>
        persons.filter((person) => person.identifiers.some((one) => one.type === type && one.value === value)));
    const named = identifiers.map(({type, value}, i) =>
        `${type} ${value}: ${holders[i].map((person) => person.person).join(' and ') || 'nobody'}`);
    const ids = new Set(holders.flatMap((list) => list.map((person) => person.person)));
    const one = ids.size === 1 && holders.every((list) => list.length === 1);
    return one ? {person: [...ids][0]} : {wrong: `not one person: ${named.join(', ')}`};
}
