#pragma once

namespace storage {

// The third byte of every key. On disk: never change one, never reuse one.
enum class Space : char {
    access_key = 'A',    // keyed hash of an access key -> who may do what
    agent = 'a',         // who may ask in the name of others
    assertion = 'B',     // assertions, newest first
    acknowledged = 'k',  // record id, hash of a channel, token -> that it took note of a withdrawal
    asserted = 'b',      // token or event id, kind, token, assertion id -> what stands about it
    corrected = 'c',     // token, trait name hash -> what of a trait was corrected
    consent = 'C',       // token, kind, ... -> consent records and stamp cells of an identifier
    dedupe = 'D',        // event id -> when it may be forgotten
    do_not_contact = 'd',  // id -> who is never contacted again, and why
    history = 'H',         // token, ~until -> the person an identifier belonged to before
    former = 'h',          // person id, ~until, token -> an identifier that a person had before
    hash_form = 'Q',       // token of a hashed identifier, token -> what it may be the hash of
    event = 'E',           // home token, ~time, event id -> the sealed event
    group = 'G',           // group id -> the group's sealed id
    idempotency = 'I',     // keyed hash of (caller, idempotency key) -> the answer given
    log = 'J',             // log name, index -> entries of append-only logs
    subject_key = 'K',     // token -> the identifier's key, wrapped by an epoch key
    ledger = 'V',  // `tile` (level, index), `checkpoint`, `public keys` -> the published ledger
    ledger_entry = 'v',  // first half of a commitment -> the index of its entry
    link = 'L',          // token, class, token, source, days -> evidence; stored under both ends
    last_read = 'u',     // channel, field -> the day a channel was given it last
    member = 'M',        // anchor token, token -> an identifier of that person
    node = 'N',          // token -> an identifier: type, sealed value, person
    notice = 'n',        // hash of a notice's id, of a version, of a language -> its text
    mask = 'O',          // mask id -> which fields left in which form, sealed
    policy = 'p',        // `versions`, ~time -> the policy in force from then on; hash, part -> one
    pointer = 'P',     // token, ~time, event id -> home token of an event seen with this identifier
    quarantine = 'q',  // assertion id, ... -> what it split apart; token, ... -> by which ones
    person = 'R',      // person id -> the token it is derived from
    disclosed = 'S',   // token, ~time, batch, row -> what was told of an identifier, sealed
    privacy_request = 'r',  // request id -> what somebody asks of their data, and its steps
    retention = 't',        // what was let go because its time had come
    signal = 'g',           // token, half of a digest -> the text of a consent signal, sealed
    trait = 'T',            // token, trait name hash -> one sealed trait
    group_trait = 'U',      // group id, trait name hash -> one sealed trait
    batch = 'W',            // batch number -> a batch of disclosures; its rows
    batch_of = 'w',         // hash of a reader, ~time, batch number -> empty
    tombstone = 'x',        // token -> when the identifier was erased, and by which request
    privacy = 'y',          // request id, newest first -> what was asked of a person's data, sealed
    meta = 'X',             // counters and marks of the platform itself
    group_member = 'Y',     // group id, home token -> first and last day it was seen with the group
    group_of = 'Z',         // home token, group id -> the same
};

}  // namespace storage
