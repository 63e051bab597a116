#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cdp/base/clock.h"
#include "cdp/base/result.h"
#include "cdp/base/time.h"
#include "cdp/tombstones.h"
#include "consent/sha256.h"
#include "storage/store.h"
#include "storage/vault.h"

// Who may ask in the name of others by the Data Rights Protocol; docs/decisions/0033.
namespace cdp {

// As an administrator registers it.
struct NewAgent {
    std::string id = {};                           // 1 to 64 of [A-Z_]
    std::string name = {};                         // one line of at most 256 bytes
    std::string verify_key = {};                   // base64 of an Ed25519 key, in no small group
    std::vector<std::string> callback_hosts = {};  // lower case, at most 16
};

// As it was registered once; another registration of the same id ends it.
struct Agent {
    std::string id = {};
    std::string name = {};
    std::string verify_key = {};  // 32 bytes
    std::vector<std::string> callback_hosts = {};
    Timestamp registered{};
    std::string author = {};
    consent::Sha256 salt = {};  // of its entry in the ledger
    // Its token: a keyed hash, and when the message was made by which it was set up.
    std::optional<Token> token = {};
    Timestamp set_up{};
    struct End {
        Timestamp time{};
        std::string author = {};
        consent::Sha256 salt = {};

        friend bool operator==(const End&, const End&) = default;
    };
    std::optional<End> ended = {};

    // What its entry commits to; and the entry of its end, when it has one.
    std::string said() const;
    consent::Sha256 commitment() const;
    std::string said_of_end() const;
    consent::Sha256 commitment_of_end() const;
    // By which requests name the registration: 32 hexadecimal digits of its commitment.
    std::string registration() const;
    friend bool operator==(const Agent&, const Agent&) = default;
};

// By which terms they are let in; what an operator sets.
struct AgentTerms {
    std::string business_id = {};            // ours in the directory; empty: nobody is let in
    std::string verification_url = {};       // where people prove who they are; empty: at ours
    std::chrono::minutes revoke_window{10};  // for so long a request waits, and can be revoked
};

// Safe to use from many threads; everything it refers to must outlive it. What returns is on disk.
class Agents {
public:
    struct Needs {
        storage::Store& store;
        const storage::Vault& vault;
        const Clock& clock;
    };
    explicit Agents(Needs needs) : needs_(needs) {}

    // Before anything else is called.
    void let_in(AgentTerms terms) { terms_ = std::move(terms); }
    const AgentTerms& terms() const { return terms_; }

    // Registers an agent, or changes what is registered of it; another key ends its token. In the
    // ledger, as is the end of what was registered before. malformed_agent_id, malformed_name,
    // malformed_verify_key, malformed_host.
    Result<Agent> add(const std::string& author, const NewAgent& agent) const;
    // agent_unknown (not_found). Its requests stay.
    Result<void> remove(const std::string& author, std::string_view id) const;

    // By their ids; of one id, the oldest registration first.
    struct Registered {
        std::vector<Agent> agents = {};
        std::vector<Agent> ended = {};
    };
    Result<Registered> all() const;
    Result<std::optional<Agent>> find(std::string_view id) const;
    Result<std::optional<Agent>> of_token(std::string_view token) const;

    // A new token, in the place of any before: 44 characters of base64 that nobody may guess.
    // `issued`: when the message that asks was made. One that was used before, or is not newer than
    // the last that set one up, also before the agent was removed, is refused (conflict,
    // message_replayed).
    Result<std::string> set_up(std::string_view id, std::string_view signed_bytes,
                               Timestamp issued) const;

    // True: the signed bytes are used for this request now, or were before; false: for another.
    Result<bool> use_once(std::string_view signed_bytes, const PrivacyRequestId& request) const;

private:
    Result<std::optional<Agent>> find(storage::Transaction& transaction, std::string_view id) const;
    // False: nothing is to be written.
    using Change = std::function<Result<bool>(storage::Transaction&)>;
    Result<void> commit(const Change& change) const;

    Needs needs_;
    AgentTerms terms_;
};

// Every registration there is and was, or the Error of a row that cannot be read. False stops.
Result<void> each_agent(const storage::Snapshot& snapshot, const storage::Vault& vault,
                        const std::function<bool(const Result<Agent>&)>& visit);

// {"id":…,"name":…,"verify_key":BASE64,…}, with `ended` and by whom, if it has.
std::string agent_json(const Agent& agent);

}  // namespace cdp
