#pragma once

#include <cstdint>
#include <string>

// What cdp_bench can do; each prints one line of JSON.
namespace bench {

// What is posted.
enum class Load {
    mix,
    introductions,  // every person of the mix, once
    acquaintances,  // people `first` to `people`, with four identifiers each
    consents,       // answers of people `first` to `people`, to /v1/consents
    hub,            // new cookies `first` to `people` of one account
};

struct LoadOptions {
    Load what = Load::mix;
    std::uint16_t port = 0;
    std::string key;
    std::uint64_t run = 1;
    std::uint64_t first = 0;
    std::uint64_t people = 100'000;
    std::uint64_t active = 0;  // of the mix: how many of them come; 0: all
    std::size_t batches = 1000;
    std::size_t connections = 8;
};

// Posts batches over kept-alive connections on loopback and waits for each answer. False when an
// answer was not 200 with every event accepted.
bool run_load(const LoadOptions& options);

struct RowsOptions {
    std::string from;    // a database of cdp's, closed
    std::string before;  // the same at an earlier time; empty: when it had nothing
    std::string folder;  // fresh, and gone afterwards
    std::size_t runs = 1;
    std::size_t rows_per_group = 400;
    std::size_t rows_most = 0;  // a random choice of them; 0: all
    bool log_only = false;      // only the event rows, with sequential keys
};

// Writes what a database has got since `before` into a copy of that with RocksDB alone: as many
// rows per fsync as cdp had. With `log_only` into an empty one.
bool run_rows(const RowsOptions& options);

// How long RocksDB alone takes to open a database of cdp's.
bool run_open(const std::string& folder);

// Decisions per second of one thread, in process.
bool run_gate();

// TC strings and GPP strings decoded per second by one thread, in process.
bool run_tcf();
bool run_gpp();

// Entries a second of a ledger checked from the store, and proofs of single ones, each beside
// OpenSSL hashing the same messages.
bool run_ledger(const std::string& folder, std::uint64_t entries);

// Subjects re-wrapped a second of CPU, by all threads, beside opening and sealing 32 bytes.
bool run_rewrap(const std::string& folder, std::uint64_t subjects);

// Restores a backup of so many events, and copies its files with OpenSSL's SHA-256.
bool run_restore(const std::string& folder, std::uint64_t events);

// The CPU it takes to seal what a closed data folder of ingest holds, an event.
bool run_sealing(const std::string& data);

}  // namespace bench
