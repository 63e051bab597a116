#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cdp/access.h"
#include "cdp/base/clock.h"
#include "cdp/disclosures.h"
#include "cdp/policy_versions.h"
#include "cdp/read_needs.h"
#include "cdp/shown.h"
#include "consent/gate.h"

namespace cdp {

// Of one request.
inline constexpr std::size_t kQuestionsMax = 500;

// May data of these identifiers be used? As posted to /v1/decisions.
struct DecisionQuestion {
    struct Subject {
        std::string type = {};
        std::string value = {};
    };
    std::vector<Subject> identifiers = {};  // 1 to 64
    std::string purpose = {};
    std::string channel = {};              // empty: the caller's own
    std::vector<std::string> fields = {};  // by name, as traits are
    std::vector<std::string> labels = {};  // by class
    std::optional<Timestamp> as_of = {};   // absent: now
    // When the data was collected; absent: at `as_of`.
    std::optional<Timestamp> captured = {};
    std::string message_class = {};
    std::vector<std::string> jurisdictions = {};
    std::string policy_version = {};  // of one that was served under; empty: today's
};

struct DecisionTold;

// Decides and explains without reading data. Safe to use from many threads; everything it refers to
// must outlive it.
class Decisions {
public:
    Decisions(ReadNeeds needs, const PolicyVersions& policies)
        : needs_(needs), policies_(policies) {}

    // In the order of the questions, of a channel each answer as a document of its own: it is
    // listed under its own decision. Others are told {"answers":[…]}. A channel asks for itself,
    // and about now; what it is told is composed of literals, numbers and ids. Sources of trust
    // server, officers and admins ask for any channel, and are told which records say so. Somebody
    // unknown is denied: identifier_unknown. Errors: forbidden (server_source_required,
    // channel_not_own, only_now); invalid_questions, no_identifier, too_many, purpose_unknown,
    // channel_unknown, message_class_unknown, in_the_future, policy_unknown; malformed identifiers.
    // Their pointers begin at /questions/N.
    Result<std::vector<std::shared_ptr<const Unlisted>>> release(
        const Principal& channel, const std::vector<DecisionQuestion>& questions) const;
    Result<Shown> explain(const Principal& caller,
                          const std::vector<DecisionQuestion>& questions) const;

private:
    struct Asked;

    Result<std::vector<DecisionTold>> decide_all(
        const Principal& caller, const std::vector<DecisionQuestion>& questions) const;
    Result<Asked> check(const Principal& caller, const DecisionQuestion& question,
                        const std::string& pointer) const;
    Result<DecisionTold> decide(const Asked& asked) const;
    Result<void> decide_about(const Asked& asked, People::Reading reading,
                              const DecisionQuestion::Subject& subject, DecisionTold& told) const;

    ReadNeeds needs_;
    const PolicyVersions& policies_;
};

}  // namespace cdp
