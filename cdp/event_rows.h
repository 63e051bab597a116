#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "cdp/base/result.h"
#include "cdp/sessions.h"
#include "storage/key.h"
#include "storage/snapshot.h"

namespace cdp {

// One row that says that an identifier was in an event.
struct EventRow {
    Place place;
    Token token;         // the identifier
    Token home;          // where the event is filed
    std::string sealed;  // the event, when the identifier is its home

    bool filed() const { return token == home; }
};

// Events and pointers of several identifiers as one stream, newest first. Reads a few rows ahead,
// more the further it gets, and never a whole identifier.
class EventRows {
public:
    // From a place on, inclusive. The snapshot must outlive it.
    EventRows(const storage::Snapshot& snapshot, std::span<const Token> tokens, const Place& from);

    // nullopt: there are no more.
    Result<std::optional<EventRow>> next();

private:
    struct Stream {
        storage::Space space;
        Token token;
        std::string from;              // key of the first row not read yet
        std::size_t ahead = 4;         // rows of the next read
        std::vector<EventRow> rows{};  // read, oldest first
        bool ended = false;
    };

    Result<void> read(Stream& stream) const;
    void enter(std::size_t stream);

    const storage::Snapshot& snapshot_;
    std::vector<Stream> streams_;
    std::vector<std::size_t> heap_;  // streams that have a row, by that row
    bool begun_ = false;
};

}  // namespace cdp
