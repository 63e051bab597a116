#include "cdp/privacy_request_scrub.h"

#include "cdp/privacy_found.h"
#include "cdp/privacy_owed.h"
#include "cdp/privacy_request_bytes.h"
#include "cdp/privacy_request_rows.h"
#include "storage/key.h"

namespace cdp {
namespace {

// Under an identifier, a request's id and nothing else.
constexpr std::size_t kSubjectKeyBytes = storage::kGroupBytes + sizeof(PrivacyRequestId::bytes);

bool subject_opens(const storage::Snapshot& snapshot, const storage::Vault& vault,
                   std::string_view key, std::string_view value) {
    const auto subject = vault.find(snapshot, storage::subject_in(key));
    if (!subject || !*subject) return false;
    const auto plain = storage::Vault::open(**subject, key, value);
    return plain && decode_privacy_subject(*plain);
}

}  // namespace

bool privacy_row_opens(const storage::Snapshot& snapshot, const storage::Vault& vault,
                       std::string_view key, std::string_view value) {
    if (key.starts_with(privacy_requests_prefix()))
        return static_cast<bool>(open_privacy_row(vault, key, value));
    if (key.starts_with(privacy_due_prefix()) || key.starts_with(privacy_ready_prefix()))
        return timed_in(key).has_value();
    for (const auto protocol : {PrivacyProtocol::direct, PrivacyProtocol::open_dsr,
                                PrivacyProtocol::drp, PrivacyProtocol::iab})
        if (key.starts_with(privacy_owed_prefix(protocol))) return owed_in(key).has_value();
    if (const auto opens = found_opens(snapshot, vault, key, value)) return *opens;
    return key.size() != kSubjectKeyBytes || subject_opens(snapshot, vault, key, value);
}

}  // namespace cdp
