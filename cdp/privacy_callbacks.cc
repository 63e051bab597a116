#include "cdp/base/bytes.h"
#include "cdp/facts.h"
#include "cdp/privacy_request_bytes.h"
#include "cdp/privacy_requests.h"
#include "cdp/texts.h"
#include "storage/key.h"

// What protocols are still to be told of.
namespace cdp {

Result<std::vector<OwedCallback>> PrivacyRequests::owed(PrivacyProtocol protocol, std::size_t most,
                                                        bool also_later) const {
    const auto snapshot = needs_.store.snapshot();
    const auto now = needs_.clock.now();
    std::vector<OwedCallback> all;
    bool readable = true;
    CDP_CHECK(snapshot->scan(privacy_owed_prefix(), "",
                             [&](std::string_view key, std::string_view bytes) {
                                 storage::KeyReader in(key);
                                 OwedCallback one{.request = in.id<PrivacyRequestId>()};
                                 one.step = in.number32();
                                 const auto row = decode_owed(bytes);
                                 readable = in.ok() && row;
                                 if (!readable) return false;
                                 one.attempts = row->attempts;
                                 one.not_before = row->not_before;
                                 if (also_later || one.not_before <= now) all.push_back(one);
                                 return true;
                             }));
    if (!readable) return damaged("an owed callback that cannot be read");
    std::vector<OwedCallback> out;
    for (auto& one : all) {
        if (out.size() == most) break;
        const auto row = CDP_TRY(find_row(one.request));
        if (row.request.protocol != protocol) continue;
        for (const auto& step : CDP_TRY(steps_of(*snapshot, needs_.vault, one.request))) {
            if (step.number != one.step) continue;
            one.state = step.to;
            one.since = step.time;
            out.push_back(one);
        }
    }
    return out;
}

Result<void> PrivacyRequests::settle(const OwedCallback& owed, const std::string& code,
                                     const std::string& detail) {
    CDP_CHECK(check_code(code, "/code"));
    const auto key = privacy_owed_key(owed.request, owed.step);
    const Decide decide = [&](PrivacyChange& change, const auto&) -> Result<bool> {
        if (!CDP_TRY(change.transaction().get(key))) return false;
        change.transaction().erase(key);
        CDP_CHECK(change.take(PrivacyAct::note, kOurselves, code, detail));
        return true;
    };
    CDP_TRY(change(owed.request, decide));
    return Result<void>::ok();
}

Result<void> PrivacyRequests::postpone(const OwedCallback& owed, Timestamp until) {
    const auto key = privacy_owed_key(owed.request, owed.step);
    const Decide decide = [&](PrivacyChange& change, const auto&) -> Result<bool> {
        const auto bytes = CDP_TRY(change.transaction().get(key));
        if (!bytes) return false;
        auto row = decode_owed(*bytes);
        if (!row) return damaged("an owed callback that cannot be read");
        ++row->attempts;
        row->not_before = until;
        change.transaction().put(key, encode_owed(*row));
        return true;
    };
    CDP_TRY(change(owed.request, decide));
    return Result<void>::ok();
}

}  // namespace cdp
