#include "cdp/base/log.h"
#include "cdp/privacy_change.h"
#include "cdp/privacy_owed.h"
#include "cdp/privacy_requests.h"
#include "cdp/texts.h"

// What protocols are still to be told of.
namespace cdp {

// One that is damaged keeps nobody from being told the others.
Result<std::vector<OwedCallback>> PrivacyRequests::owed(PrivacyProtocol protocol, std::size_t most,
                                                        bool also_later) const {
    const auto snapshot = needs_.store.snapshot();
    const auto now = needs_.clock.now();
    std::vector<OwedCallback> out;
    auto outcome = Result<void>::ok();
    CDP_CHECK(snapshot->scan(
        privacy_owed_prefix(protocol), "", [&](std::string_view key, std::string_view) {
            const auto one = owed_in(key);
            if (!one) return true;
            if (out.size() == most || (!also_later && one->not_before > now)) return false;
            auto whole = whole_owed(*snapshot, needs_.vault, *one);
            if (whole)
                out.push_back(*std::move(whole));
            else if (whole.error().code == ErrorCode::corruption)
                log::write(log::Level::error, "callback_damaged",
                           {{"request", log::safe(to_hex(one->request.view()))},
                            {"detail", log::safe(whole.error().detail)}});
            else
                outcome = whole.error();
            return static_cast<bool>(outcome);
        }));
    CDP_CHECK(outcome);
    return out;
}

Result<void> PrivacyRequests::settle(const OwedCallback& owed, const std::string& code,
                                     const std::string& detail) {
    CDP_CHECK(check_code(code, "/code"));
    const Decide decide = [&](PrivacyChange& change, const auto&) -> Result<bool> {
        const auto protocol = change.request().protocol;
        if (!CDP_TRY(take_owed(change.transaction(), protocol, owed))) return false;
        if (change.row().owed > 0) --change.row().owed;
        CDP_CHECK(change.take(PrivacyAct::note, kOurselves, code, detail));
        return true;
    };
    CDP_TRY(change(owed.request, decide));
    return Result<void>::ok();
}

Result<void> PrivacyRequests::postpone(const OwedCallback& owed, Timestamp until) {
    const Decide decide = [&](PrivacyChange& change, const auto&) -> Result<bool> {
        const auto protocol = change.request().protocol;
        auto stands = CDP_TRY(take_owed(change.transaction(), protocol, owed));
        if (!stands) return false;
        ++stands->attempts;
        stands->not_before = until;
        put_owed(change.transaction(), protocol, *stands);
        return true;
    };
    CDP_TRY(change(owed.request, decide));
    return Result<void>::ok();
}

}  // namespace cdp
