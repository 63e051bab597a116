#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "cdp/consent_json.h"
#include "cdp/erasure_rows.h"
#include "cdp/others_contacts.h"
#include "cdp/person_events.h"
#include "cdp/person_traits.h"
#include "cdp/subject_report.h"
#include "consent/json_writer.h"

// One person's report being made; private to cdp/subject_*.cc.
namespace cdp {

// Whether data with a label may be used for a purpose.
bool serves_purpose(const consent::Policy& policy, const std::string& label,
                    std::string_view purpose);

class SubjectWalk {
public:
    struct Scope {
        Token asked;  // has a node that is somebody's
        // As far as they are that person's: nothing of any other of the person's identifiers, and
        // of sessions on no other that is shared. nullptr: everything.
        const std::vector<Token>* members = nullptr;
        bool others = false;  // as in ReportRequest
    };
    SubjectWalk(const SubjectReports::Needs& needs, const storage::Snapshot& snapshot,
                const Scope& scope);
    SubjectWalk(const SubjectWalk&) = delete;
    SubjectWalk& operator=(const SubjectWalk&) = delete;

    // First.
    Result<void> load();
    const PersonId& person() const { return person_.id; }

    // Everything, part by part; the form is the caller's to finish.
    Result<void> tell_all(ReportForm& form);
    // Which kinds of data are held, from where and for whom; subject_categories.cc.
    Result<void> tell_kinds(ReportForm& form);
    // What the person gave and may take along, line by line; subject_portable.cc.
    Result<void> tell_given(const ReportSink& sink);
    // How much of what was told; once it was.
    ReportCounts counts() const;

private:
    // A channel that is registered for a purpose, and what it may have.
    struct Asked {
        Asked(const SubjectWalk& walk, const consent::Purpose& for_purpose,
              const consent::Channel& at);
        const consent::Purpose& purpose;
        const consent::Channel& channel;
        consent::Gate gate;
        DestinationForms forms;
    };
    using Pass = std::function<consent::Passed(Asked& asked)>;
    using Row = std::function<Result<void>(std::string_view key, std::string_view value)>;
    struct Counted {
        std::uint64_t events = 0;
        Timestamp first = Timestamp::max();
        Timestamp last = Timestamp::min();
    };

    Result<void> load_consents();
    Result<std::optional<identity::Node>> node_of(const Token& token) const;
    Result<bool> is_others(const Token& token) const;
    // Traits and events whose time has not passed.
    Result<void> each_held_trait(const VisitTrait& visit) const;
    Result<void> each(storage::Space space, const Token& token, const Row& visit) const;
    Result<void> each_event(const VisitPersonEvent& visit) const;
    // Rows that are there and that nobody can read any more.
    Result<void> count_unreadable();

    // subject_frame.cc
    // `about`: members of the first part that say whom it is about.
    void tell_frame(ReportForm& form, const std::string& about) const;
    void tell_logic(ReportForm& form) const;
    void tell_purposes(ReportForm& form) const;
    void tell_retention(ReportForm& form) const;
    void tell_left_out(ReportForm& form) const;
    void tell_end(ReportForm& form) const;
    // subject_identity.cc
    Result<void> tell_identifiers(ReportForm& form);
    Result<void> tell_links(ReportForm& form);
    Result<void> tell_asserted(ReportForm& form);
    Result<void> tell_requests(ReportForm& form);
    Result<void> tell_erasures(ReportForm& form);
    // subject_data.cc
    // What somebody sent, without what is somebody else's.
    Result<std::string> shown(std::string_view json, std::string_view source);
    Result<void> tell_traits(ReportForm& form);
    Result<void> tell_corrections(ReportForm& form);
    Result<void> tell_groups(ReportForm& form);
    Result<void> tell_events(ReportForm& form);
    // subject_consents.cc
    Result<void> tell_consents(ReportForm& form);
    Result<void> tell_suppressions(ReportForm& form);
    Result<void> tell_signals(ReportForm& form);
    Result<void> tell_decisions(ReportForm& form);
    // subject_disclosures.cc
    Result<void> tell_disclosures(ReportForm& form);
    // By kind of data.
    Result<void> tell_kinds_disclosed(ReportForm& form);

    bool is_own(const Token& token) const { return own_.contains(token); }
    // Members of an object: "type":…,"value":…. Of what is neither the person's nor shared the type
    // alone.
    Result<std::string> name_of(const Token& token) const;
    Result<std::string> source(std::uint32_t hash) const;
    Result<std::vector<std::string>> sources_of(const Token& token) const;
    void put_channels(consent::JsonWriter& out, const Pass& pass);

    const SubjectReports::Needs& needs_;
    const storage::Snapshot& snapshot_;
    mutable storage::Transaction transaction_;
    People::Reading reading_;
    const Scope scope_;
    const Timestamp now_;
    const StoredNames names_;
    mutable std::unordered_map<Token, std::string> names_told_ = {};  // of those met last
    OthersContacts others_;

    std::vector<Token> own_tokens_ = {};  // the person's, as an erasure would take them
    std::set<Token> own_ = {};
    std::set<Token> keyless_ = {};  // of these: nothing under them can be read
    Person person_ = {};            // whoever of them counts and can be read
    bool joined_ = false;           // the person has more identifiers than the scope
    bool decided_ = false;          // person_.consents is whole
    HeldTraits traits_ = {};
    std::deque<Asked> channels_ = {};
    std::map<std::string, Counted> by_source_ = {};
    ErasedCounts counts_ = {};
    std::map<std::string, std::uint64_t> unreadable_ = {};
};

}  // namespace cdp
