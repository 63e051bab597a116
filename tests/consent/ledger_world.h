#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "consent/consents.h"
#include "consent/ledger.h"
#include "consent/ledger_check.h"
#include "consent/rows.h"
#include "storage/key.h"
#include "storage/memory_store.h"
#include "tests/cdp/failing_store.h"
#include "tests/consent/world.h"

namespace tests {

// A store with a ledger, whose process can be replaced and whose rows can be tampered with.
struct LedgerWorld {
    LedgerWorld() { restart(); }

    // What a process that was killed leaves to the next.
    void restart() {
        ledger.reset();
        vault = std::make_unique<storage::Vault>(keyring);
        consents = std::make_unique<consent::Consents>(*vault);
        ledger = std::make_unique<consent::Ledger>(store, *vault);
    }
    void rotate() {
        keyring.renew_ledger_key();
        restart();
    }

    // Until nothing is new.
    void publish() {
        while (ledger->publish({}).value()) continue;
        CHECK_FALSE(ledger->halted());
    }

    template <typename Work>
    void write(const Work& work) {
        const auto snapshot = store.snapshot();
        storage::Transaction transaction(*snapshot, storage::kPartition);
        work(transaction);
        REQUIRE(commit_and_wait(store, std::move(transaction)).state == storage::CommitState::ok);
    }
    void append_bytes(std::string bytes) {
        write([&](auto& transaction) { transaction.append(consent::ledger_prefix(), bytes); });
        entries.push_back(std::move(bytes));
    }
    void append(std::uint64_t count) {
        const auto first = entries.size();
        write([&](auto& transaction) {
            for (std::uint64_t i = 0; i < count; ++i)
                consent::append_entry(transaction, *vault,
                                      {.type = consent::EntryType::disclosures,
                                       .salt = consent::sha256(std::to_string(first + i)),
                                       .bytes = "batch",
                                       .fields = {}});
        });
        for (std::uint64_t i = 0; i < count; ++i)
            entries.push_back(get(consent::entry_key(first + i)));
    }

    consent::Record record(const char* who, consent::State state) {
        consent::Record record{.id = record_id(++said)};
        record.asserted.push_back({token(who)});
        record.purpose = "news";
        record.state = state;
        record.time = record.received = day(static_cast<int>(said));
        return record;
    }
    void say(const char* who, consent::State state) {
        const auto what = record(who, state);
        write([&](auto& transaction) { REQUIRE(consents->record(transaction, what)); });
    }
    // A record's row without its entry.
    void forge(const char* who) {
        said = 98;
        const auto what = record(who, consent::State::granted);
        write([&](auto& transaction) {
            const auto key = vault->find_or_make(transaction, token(who)).value();
            const auto row = consent::record_key(token(who), what);
            transaction.put(row, consent::seal_row(key, row, {consent::random_salt(), what}));
        });
    }
    std::string first_record_key(const char* who) const {
        std::string found;
        REQUIRE(store.snapshot()->scan(consent::records_prefix(token(who)), {},
                                       [&](std::string_view key, std::string_view) {
                                           found = key;
                                           return false;
                                       }));
        return found;
    }

    std::string get(const std::string& key) const {
        return store.snapshot()->get(key).value().value();
    }
    void put(const std::string& key, const std::string& value) {
        write([&](auto& transaction) { transaction.put(key, value); });
    }
    void erase(const std::string& key) {
        write([&](auto& transaction) { transaction.erase(key); });
    }
    void change(const std::string& key, std::uint64_t at) {
        auto value = get(key);
        value.at(at) = static_cast<char>(value[at] ^ 0x10);
        put(key, value);
    }

    consent::LedgerChecked check() const {
        return consent::check_ledger(*store.snapshot(), *vault,
                                     [](std::string_view, std::uint64_t) { return true; })
            .value();
    }

    FailingStore store{storage::make_memory_store()};
    storage::Keyring keyring = storage::Keyring::generate();
    std::unique_ptr<storage::Vault> vault;
    std::unique_ptr<consent::Consents> consents;
    std::unique_ptr<consent::Ledger> ledger;
    std::vector<std::string> entries;  // as appended by append
    std::uint64_t said = 0;
};

}  // namespace tests
