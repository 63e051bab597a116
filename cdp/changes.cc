#include "cdp/changes.h"

#include <charconv>
#include <optional>

#include "cdp/base/bytes.h"
#include "cdp/facts.h"
#include "cdp/paging.h"
#include "cdp/released_list.h"
#include "consent/released_body.h"

namespace cdp {
namespace {

// A change may name thousands of persons: a page ends early rather than to grow beyond this.
constexpr std::size_t kPageBytesMax = 1024 * 1024;

// nullopt: no number.
std::optional<std::uint64_t> parse_version(std::string_view text) {
    std::uint64_t version = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), version);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return version;
}

Result<std::uint64_t> version_after(std::string_view after, std::uint64_t newest) {
    if (after.empty()) return std::uint64_t{0};
    if (after == "latest") return newest;
    const auto version = parse_version(after);
    if (!version) return malformed_cursor("/after");
    // Whoever was told of more than there is has read another data folder than this one, or one
    // that was since put back from a backup: to wait here would be to miss changes.
    if (*version > newest)
        return Error{.code = ErrorCode::invalid_argument,
                     .reason = "version_unknown",
                     .message = "The feed has not come that far: read it anew from its start.",
                     .pointer = "/after"};
    return *version;
}

// The feed as those who run the platform read it.
class WholePage {
public:
    void add(std::uint64_t version, const identity::Change& change) {
        out_ += out_.empty() ? "{\"changes\":[" : ",";
        out_ += change_json(version, change, /*cause=*/true);
        persons_.push_back(change.from);
        persons_.insert(persons_.end(), change.to.begin(), change.to.end());
    }
    std::size_t size() const { return out_.size(); }
    consent::Composed finish(std::uint64_t next, bool end) && {
        if (out_.empty()) out_ = "{\"changes\":[";
        out_ += "],\"next\":" + std::to_string(next) + ",\"end\":" + (end ? "true" : "false") + "}";
        return {.body = std::move(out_),
                .disclosure = {.subjects = consent::subjects_of({}, std::move(persons_))}};
    }

private:
    std::string out_;
    std::vector<PersonId> persons_;
};

// The same for a channel: what became of ids that it may remember, and nothing of why.
class ChannelPage {
public:
    ChannelPage() { out_.text("{\"changes\":["); }

    void add(std::uint64_t version, const identity::Change& change) {
        comma_.write(out_);
        out_.text("{\"version\":").number(version).text(",\"kind\":");
        add_kind(change.kind);
        out_.text(",\"from\":\"").id(change.from).text("\",\"to\":[");
        Separator comma;
        for (const auto& person : change.to) {
            comma.write(out_);
            out_.text("\"").id(person).text("\"");
        }
        out_.text("],\"time\":").time(change.cause.time).text("}");
    }
    std::size_t size() const { return out_.size(); }
    consent::Composed finish(std::uint64_t next, bool end) && {
        out_.text("],\"next\":").number(next).text(",\"end\":");
        if (end)
            out_.text("true}");
        else
            out_.text("false}");
        return std::move(out_).finish();
    }

private:
    void add_kind(identity::ChangeKind kind) {
        switch (kind) {
            case identity::ChangeKind::merged: out_.text("\"merged\""); break;
            case identity::ChangeKind::split: out_.text("\"split\""); break;
            case identity::ChangeKind::moved: out_.text("\"moved\""); break;
            case identity::ChangeKind::redirected: out_.text("\"redirected\""); break;
            case identity::ChangeKind::erased: out_.text("\"erased\""); break;
        }
    }

    consent::ReleasedBody out_;
    Separator comma_;
};

template <typename Page>
Result<consent::Composed> page_after(const storage::Snapshot& snapshot, const ChangesQuery& query) {
    const auto log = identity::change_log();
    const auto newest = CDP_TRY(storage::log_size(snapshot, log));
    auto version = CDP_TRY(version_after(query.after, newest));
    Page page;
    std::size_t left = query.limit;
    bool readable = true;
    const auto from = ByteWriter().raw(log).u64(version).take();
    CDP_CHECK(snapshot.scan(log, from, [&](std::string_view key, std::string_view value) {
        const auto change = identity::decode_change(value);
        readable = change && ByteReader(key.substr(log.size())).u64() == version;
        if (!readable) return false;
        page.add(++version, *change);
        return --left > 0 && page.size() < kPageBytesMax;
    }));
    if (!readable) return damaged("a change of persons that cannot be read");
    return std::move(page).finish(version, version == newest);
}

}  // namespace

Result<consent::Composed> Changes::page(const Principal& reader, const ChangesQuery& query) const {
    CDP_CHECK(check_limit(query.limit));
    const auto snapshot = needs_.store.snapshot();
    if (reader.role == Role::officer || reader.role == Role::steward || reader.role == Role::admin)
        return page_after<WholePage>(*snapshot, query);
    const auto* channel =
        reader.role == Role::channel ? needs_.config.policy.find_channel(reader.channel) : nullptr;
    if (!channel || channel->purposes.empty())
        return Error{.code = ErrorCode::forbidden,
                     .reason = "channel_unknown",
                     .message = "The key does not belong to a configured channel with a purpose."};
    return page_after<ChannelPage>(*snapshot, query);
}

std::string change_json(std::uint64_t version, const identity::Change& change, bool cause) {
    std::string out = "{\"version\":" + std::to_string(version) + ",\"kind\":\"";
    out.append(to_string(change.kind)).append("\",\"from\":\"" + to_hex(change.from.view()));
    out += "\",\"to\":[";
    for (const auto& person : change.to) {
        if (out.back() != '[') out += ',';
        out += "\"" + to_hex(person.view()) + "\"";
    }
    out += "],\"identifiers\":" + std::to_string(change.identifiers);
    if (cause) out.append(",\"cause\":\"").append(to_string(change.cause.what)).append("\"");
    if (cause && change.cause.what == identity::Cause::What::assertion)
        out += ",\"assertion\":\"" + to_hex(change.cause.assertion.view()) + "\"";
    return out + ",\"time\":\"" + format_time(change.cause.time) + "\"}";
}

}  // namespace cdp
