#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "cdp/access.h"
#include "cdp/base/clock.h"
#include "cdp/base/result.h"
#include "cdp/config.h"
#include "cdp/consent_intake.h"
#include "cdp/people.h"
#include "storage/store.h"
#include "storage/vault.h"

// The preference centre: links by which whoever holds an address sees and changes what was said
// under it for one purpose, without a login. A link is sealed, so it shows nothing and cannot be
// made up; holding it proves control of the identifier as far as receiving it did.
namespace cdp {

// For how long a link opens. What it can withdraw it withdraws for as long as that: laws ask for 30
// days at least, and old mail is found again.
inline constexpr std::chrono::days kLinkLife{800};
// For how long a form that was shown may be sent, once.
inline constexpr std::chrono::hours kFormLife{24};

// What somebody who follows a link may do.
struct Choice {
    enum class Standing : std::uint8_t {
        allowed,    // granted, or in use as long as nobody objects
        refused,    // denied, withdrawn, objected, restricted
        not_asked,  // never said, or run out
    };

    std::string type;
    std::string value;  // normal form
    std::string purpose;
    consent::Regime regime = consent::Regime::person_opt_in;
    Standing standing = Standing::not_asked;
    std::optional<Timestamp> since = {};  // of the answer that holds
    std::string form = {};                // goes with the choice that is made on this page
};

// Safe to use from many threads. Everything it refers to must outlive it.
class Preferences {
public:
    struct Needs {
        const storage::Store& store;
        const storage::Vault& vault;
        const identity::Graph& graph;
        const People& people;
        const Config& config;
        const Clock& clock;
        ConsentIntake& intake;
    };
    explicit Preferences(Needs needs) : needs_(needs) {}

    // The text of a link for an identifier, whether or not it is known. A source of trust server,
    // an officer or an admin makes one for any purpose; a channel for those it is registered for.
    // Errors: forbidden, invalid_argument (purpose_unknown, malformed_identifier).
    Result<std::string> link(const Principal& caller, std::string_view type, std::string_view value,
                             std::string_view purpose) const;

    // Errors, all not_found: link_unknown (forged, damaged, or of another keyring), link_expired,
    // purpose_unknown (it is not configured any more).
    Result<Choice> open(std::string_view link) const;

    using Chosen = std::function<void(Result<void>)>;
    // RFC 8058: withdraws, or objects where nothing had to be granted. Saying it again when it
    // holds already writes nothing.
    void one_click(std::string_view link, Chosen done) const;
    // The choice made on a page. Errors: those of open, and invalid_argument (form_invalid,
    // form_expired). A form that was sent before changes nothing: it is answered as it was then.
    void choose(std::string_view link, std::string_view form, bool allow, Chosen done) const;

private:
    struct Held {
        std::string type;
        std::string value;
        std::string purpose;
        Timestamp made{};
    };

    Result<Held> unseal(std::string_view link) const;
    Result<Choice> read(const Held& held) const;
    Result<std::string> nonce_of(std::string_view link, std::string_view form) const;
    void record(const Held& held, bool allow, std::string_view method, std::string key,
                Chosen done) const;

    Needs needs_;
};

}  // namespace cdp
