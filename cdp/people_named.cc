#include <algorithm>

#include "cdp/named_contacts.h"
#include "cdp/people.h"
#include "cdp/suppression_rows.h"
#include "consent/suppressed.h"

// Whom a person's data name that is not the person, or is called otherwise.
namespace cdp {

Result<void> People::add_foreign(Reading reading, Person& person, const Contact& contact) const {
    const auto known = std::ranges::any_of(
        person.consents, [&](const auto& member) { return member.token == contact.token; });
    if (known) return Result<void>::ok();
    const auto node = CDP_TRY(needs_.graph.find(reading.transaction, contact.token));
    consent::Member member{.token = contact.token, .type = contact.type, .contact = true};
    if (node)
        member = CDP_TRY(load_consents(reading, contact.token, *node));
    else
        CDP_CHECK(add_said_of_nobody(reading, member, contact));
    member.shared = true;
    person.consents.push_back(std::move(member));
    return Result<void>::ok();
}

// Whoever is nobody was suppressed or never spoken of. What was suppressed by a hash of theirs
// stands under the hash alone until somebody has the contact.
Result<void> People::add_said_of_nobody(Reading reading, consent::Member& member,
                                        const Contact& contact) const {
    if (!CDP_TRY(needs_.suppressed.any(reading.transaction))) return Result<void>::ok();
    if (CDP_TRY(needs_.suppressed.may_have(reading.transaction, contact.token)))
        CDP_CHECK(add_said(reading, member));
    for (const Contact& hash : hashes_of(needs_.config, needs_.vault, contact)) {
        if (!CDP_TRY(needs_.suppressed.may_have(reading.transaction, hash.token))) continue;
        for (const auto& one :
             CDP_TRY(suppressions_naming(reading.transaction, needs_.vault, hash.token)))
            member.suppressions.push_back(one.said);
    }
    return Result<void>::ok();
}

Result<bool> People::may_be_suppressed(Reading reading, const Contact& contact) const {
    if (CDP_TRY(needs_.suppressed.may_have(reading.transaction, contact.token))) return true;
    for (const Contact& hash : hashes_of(needs_.config, needs_.vault, contact))
        if (CDP_TRY(needs_.suppressed.may_have(reading.transaction, hash.token))) return true;
    return false;
}

Result<std::optional<Token>> People::first_suppressed(Reading reading, Person& person,
                                                      const std::vector<Contact>& contacts,
                                                      Timestamp now) const {
    for (const Contact& one : contacts) {
        if (!CDP_TRY(may_be_suppressed(reading, one))) continue;
        CDP_CHECK(add_foreign(reading, person, one));
        if (consent::Suppressed(person.consents, now).find({}, one.token))
            return std::optional(one.token);
    }
    return std::optional<Token>{};
}

Result<void> People::heed_named(Reading reading, Person& person, const FieldText& text,
                                FieldClass& what, Timestamp now) const {
    if (what.contact) CDP_CHECK(add_foreign(reading, person, *what.contact));
    if (!CDP_TRY(needs_.suppressed.any(reading.transaction))) return Result<void>::ok();
    const auto& config = needs_.config;
    const bool numbers = CDP_TRY(needs_.suppressed.any_number(reading.transaction));
    const TextFrom from{text.source, numbers};
    what.suppressed = CDP_TRY(
        first_suppressed(reading, person, contacts_in(config, needs_.vault, text.name, from), now));
    what.untold = what.suppressed.has_value();
    // What is mapped nowhere stays here whatever it is.
    if (what.untold || what.labels.empty()) return Result<void>::ok();
    what.suppressed = CDP_TRY(first_suppressed(
        reading, person, contacts_in_json(config, needs_.vault, text.json, from), now));
    return Result<void>::ok();
}

Result<void> People::heed_identifiers(Reading reading, Person& person, Timestamp now) const {
    if (!CDP_TRY(needs_.suppressed.any(reading.transaction))) return Result<void>::ok();
    const bool numbers = CDP_TRY(needs_.suppressed.any_number(reading.transaction));
    const TextFrom from{{}, numbers};
    for (PersonMember& member : person.members) {
        if (is_contact(needs_.config.types.known(member.node.type).link_class)) continue;
        const auto named = contacts_in(needs_.config, needs_.vault, member.value.value, from);
        member.suppressed = CDP_TRY(first_suppressed(reading, person, named, now));
    }
    return Result<void>::ok();
}

}  // namespace cdp
