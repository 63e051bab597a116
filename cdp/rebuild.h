#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "cdp/base/clock.h"
#include "cdp/base/result.h"
#include "cdp/config.h"
#include "cdp/event.h"
#include "storage/store.h"
#include "storage/vault.h"

namespace cdp {

// How the stored rows of one fold differ from those that the facts give.
struct FoldDifferences {
    std::string_view fold;        // links, members, traits, ...
    std::uint64_t rows = 0;       // that the facts give
    std::uint64_t missing = 0;    // not stored
    std::uint64_t extra = 0;      // stored, but no facts give them
    std::uint64_t different = 0;  // stored, but say something else

    std::uint64_t all() const { return missing + extra + different; }
};

struct Rebuilt {
    std::uint64_t events = 0;
    std::uint64_t consents = 0;  // records, under each identifier they assert
    // Of the events, those in which today's rules find no event or not the identifier it is filed
    // under: they are kept there, and say nothing more.
    std::uint64_t unread = 0;
    std::vector<FoldDifferences> found;  // every fold, before anything was mended
    std::uint64_t differed = 0;          // all of `found`
    std::uint64_t left = 0;              // rows that still differ after mending
    std::uint64_t announced = 0;         // changes of persons that mending announced
};

// What is under way, and how much of it is done.
using RebuildReport = std::function<void(std::string_view stage, std::uint64_t rows)>;

// Makes every fold again from the facts, in a second store, and compares it with what is stored.
// The two are compared unsealed: values by what they say, persons without since when. Nobody else
// may write meanwhile.
class Rebuild {
public:
    // All must outlive it. `scratch` is empty; its vault is another one with the same keyring.
    struct Needs {
        storage::Store& store;
        const storage::Vault& vault;
        storage::Store& scratch;
        const storage::Vault& scratch_vault;
        const Config& config;
        const Clock& clock;
    };
    Rebuild(Needs needs, RebuildReport report) : needs_(needs), report_(std::move(report)) {}

    // Writes nothing to the store. Errors: other_rules (conflict) when the stored persons were made
    // under other rules than the configuration's; corruption when facts cannot be read. Once.
    Result<Rebuilt> check();

    // The same, then writes the differences in many small commits: interrupted anywhere, a
    // repetition goes on. Announcements stay; persons that change are announced as changed by
    // rules. Also brings the rows of older formats up to date. Once.
    Result<Rebuilt> mend();

private:
    Result<void> name_sources() const;

    Needs needs_;
    RebuildReport report_;
    std::map<std::string, Trust> sources_ = {};  // of the events
};

}  // namespace cdp
