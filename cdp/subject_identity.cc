#include <array>
#include <bit>
#include <map>
#include <set>
#include <utility>

#include "cdp/base/bytes.h"
#include "cdp/event_rows.h"
#include "cdp/facts.h"
#include "cdp/privacy_request_rows.h"
#include "cdp/subject_walk.h"
#include "identity/assertion.h"
#include "identity/links.h"

// Who the person is, by what was seen together, and what was said and done about that.
namespace cdp {

using consent::JsonWriter;
using storage::Space;

namespace {

std::string bare(const std::string& members) {
    return "{" + members + "}";
}

}  // namespace

// Apps that saw it together with others.
Result<std::vector<std::string>> SubjectWalk::sources_of(const Token& token) const {
    std::set<std::uint32_t> hashes;
    CDP_CHECK(each(Space::link, token, [&](std::string_view key, std::string_view value) {
        const auto link = identity::decode_link(key, value);
        if (!link) return Result<void>(damaged("a link that cannot be read"));
        if (link->row.days != 0) hashes.insert(link->row.source);
        return Result<void>::ok();
    }));
    std::set<std::string> names;
    for (const auto hash : hashes) names.insert(CDP_TRY(source(hash)));
    return std::vector<std::string>(names.begin(), names.end());
}

Result<void> SubjectWalk::tell_identifiers(ReportForm& form) {
    form.list("identifiers");
    for (const Token& token : own_tokens_) {
        const auto node = CDP_TRY(node_of(token));
        if (!node) continue;
        ++counts_.identifiers;
        JsonWriter out;
        out.open().text("type", node->type);
        if (keyless_.contains(token)) {
            form.entry(out.json("value", "null").close().take());
            continue;
        }
        const auto member = CDP_TRY(needs_.people.load_member(reading_, token));
        out.text("value", member.value.value).text_if("as_first_given", member.value.raw);
        out.text("first_seen", format_time(node->first_seen));
        EventRows rows(snapshot_, std::array{token}, {Timestamp::max(), EventId{}});
        if (const auto last = CDP_TRY(rows.next()))
            out.text("last_seen", format_time(last->place.time));
        out.texts("seen_by", CDP_TRY(sources_of(token)));
        out.texts("labels", needs_.config.policy.labels_of_identifier(node->type));
        if (!node->active) out.flag("in_use", false);
        if (node->active)
            put_channels(out, [&](Asked& asked) {
                return pass_identifier(needs_.config, asked.gate, asked.forms, member);
            });
        form.entry(out.close().take());
    }
    return Result<void>::ok();
}

// By the pair, and counted by the row, as an erasure counts them.
Result<void> SubjectWalk::tell_links(ReportForm& form) {
    std::set<Token> shared;
    form.list("links");
    for (const Token& from : own_tokens_) {
        std::map<Token, identity::Evidence> pairs;
        CDP_CHECK(each(Space::link, from, [&](std::string_view key, std::string_view value) {
            const auto link = identity::decode_link(key, value);
            if (!link) return Result<void>(damaged("a link that cannot be read"));
            // Both ends the person's: told from the lesser.
            if (is_own(link->to) && link->to < from) return Result<void>::ok();
            ++counts_.links;
            const auto seen = identity::evidence_of(link->row);
            const auto [at, fresh] = pairs.try_emplace(link->to, seen);
            if (!fresh) identity::join(at->second, seen);
            return Result<void>::ok();
        }));
        for (const auto& [to, evidence] : pairs) {
            const auto node = CDP_TRY(node_of(to));
            if (node && node->shared && !is_own(to)) shared.insert(to);
            JsonWriter out;
            out.open().json("a", bare(CDP_TRY(name_of(from))));
            out.json("b", bare(CDP_TRY(name_of(to))));
            out.flag("both_are_yours", is_own(to));
            out.text("class", identity::to_string(evidence.link_class));
            if (evidence.sources == std::vector{identity::kHashEquality}) {
                form.entry(out.flag("hash_equality", true).close().take());
                continue;
            }
            out.text("first", format_day(evidence.first_day));
            out.text("last", format_day(evidence.last_day));
            out.number("days", std::popcount(evidence.days)).open_list("sources");
            for (const auto hash : evidence.sources) out.text({}, CDP_TRY(source(hash)));
            form.entry(out.close_list().close().take());
        }
    }
    form.list("shared_identifiers");
    for (const Token& token : shared) form.entry(bare(CDP_TRY(name_of(token))));
    return Result<void>::ok();
}

// By whom and why is the staff's, and may name others.
Result<void> SubjectWalk::tell_asserted(ReportForm& form) {
    const identity::Assertions assertions(needs_.vault);
    std::set<std::string> told;
    form.list("assertions");
    for (const Token& token : own_tokens_)
        for (const auto& entry : CDP_TRY(identity::Assertions::entries(transaction_, token))) {
            if (!told.insert(std::string(entry.id.view())).second) continue;
            const auto one = CDP_TRY(assertions.find(transaction_, entry.id));
            if (!one) continue;
            JsonWriter out;
            out.open().text("kind", identity::to_string(one->kind));
            out.text("time", format_time(one->said.time)).open_list("identifiers");
            for (const Token& named : one->identifiers) out.json({}, bare(CDP_TRY(name_of(named))));
            form.entry(out.close_list().close().take());
        }
    return Result<void>::ok();
}

// What was asked of these data before.
Result<void> SubjectWalk::tell_requests(ReportForm& form) {
    std::set<PrivacyRequestId> all;
    for (const Token& token : own_tokens_)
        CDP_CHECK(each_request_of(snapshot_, token, [&](const PrivacyRequestId& id) {
            all.insert(id);
            return true;
        }));
    form.list("requests");
    for (const auto& id : all) {
        const auto one = CDP_TRY(needs_.requests.read(id));
        JsonWriter out;
        out.open().text("id", to_hex(id.view())).text("kind", to_string(one.kind));
        out.text("state", to_string(one.state)).text("received", format_time(one.received));
        form.entry(out.text("answer_by", format_time(one.answer_by)).close().take());
    }
    return Result<void>::ok();
}

// Of whoever came back, or had this before: how much it was is nobody else's.
Result<void> SubjectWalk::tell_erasures(ReportForm& form) {
    std::map<PrivacyRequestId, Erasure> all;
    for (const Token& token : own_tokens_)
        for (auto& one : CDP_TRY(needs_.erasures.of(transaction_, token, {.limit = 1000})).erasures)
            all.try_emplace(one.id, std::move(one));
    form.list("erasures");
    for (const auto& [id, one] : all) {
        JsonWriter out;
        out.open().text("requested", format_time(one.requested));
        if (one.state == Erasure::State::completed)
            out.text("completed", format_time(one.completed));
        form.entry(out.close().take());
    }
    return Result<void>::ok();
}

}  // namespace cdp
