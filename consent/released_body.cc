#include "consent/released_body.h"

#include "consent/json_string.h"

namespace consent {

ReleasedBody& ReleasedBody::text(Literal literal) {
    out_ += literal.text();
    return *this;
}
ReleasedBody& ReleasedBody::number(std::int64_t n) {
    out_ += std::to_string(n);
    return *this;
}
ReleasedBody& ReleasedBody::number(std::uint64_t n) {
    out_ += std::to_string(n);
    return *this;
}
ReleasedBody& ReleasedBody::time(cdp::Timestamp time) {
    out_ += json_string(cdp::format_time(time));
    return *this;
}
ReleasedBody& ReleasedBody::person(const cdp::PersonId& id, const cdp::Token& asked) {
    out_ += cdp::to_hex(id.view());
    list(std::make_shared<const Listing>(Listing{
        .home = asked, .field = {.section = Section::persons, .name = "person", .form = "raw"}}));
    return *this;
}
ReleasedBody& ReleasedBody::id(const cdp::PersonId& id) {
    out_ += cdp::to_hex(id.view());
    persons_.push_back(id);
    return *this;
}
ReleasedBody& ReleasedBody::id(const cdp::EventId& id) {
    out_ += cdp::to_hex(id.view());
    return *this;
}
ReleasedBody& ReleasedBody::id(const DecisionId& id) {
    out_ += cdp::to_hex(id.view());
    decision_ = id;
    return *this;
}
ReleasedBody& ReleasedBody::withdrawal(const cdp::RecordId& record, const cdp::Token& home) {
    out_ += cdp::to_hex(record.view());
    list(std::make_shared<const Listing>(Listing{.home = home,
                                                 .field = {.section = Section::persons,
                                                           .name = std::string(kWithdrawalField),
                                                           .form = "raw"},
                                                 .evidence = record}));
    return *this;
}
ReleasedBody& ReleasedBody::ledger_size(std::uint64_t n) {
    ledger_size_ = n;
    return number(n);
}
ReleasedBody& ReleasedBody::purpose(const Gate& gate) {
    out_ += json_string(gate.purpose());
    purpose_ = gate.purpose();
    return *this;
}
ReleasedBody& ReleasedBody::some_purpose(const Gate& gate) {
    out_ += json_string(gate.purpose());
    return *this;
}
ReleasedBody& ReleasedBody::cursor(const Cursor& cursor) {
    out_ += json_string(cursor.text());
    return *this;
}
ReleasedBody& ReleasedBody::name(const Released& released) {
    out_ += json_string(released.name());
    list(released.listing_);
    return *this;
}
ReleasedBody& ReleasedBody::source(const Released& released) {
    out_ += json_string(released.source());
    list(released.listing_);
    return *this;
}
ReleasedBody& ReleasedBody::value(const Released& released) {
    out_ += released.json();
    list(released.listing_);
    return *this;
}
ReleasedBody& ReleasedBody::withheld(const Withheld& withheld) {
    const bool identifier = withheld.section() == Section::identifiers;
    out_ += R"({"field":)" + json_string((identifier ? "identifiers/" : "") + withheld.name()) +
            R"(,"reason":)" + json_string(to_string(withheld.decision().reason)) + '}';
    return unsaid(withheld);
}
ReleasedBody& ReleasedBody::unsaid(const Withheld& withheld) {
    list(withheld.listing_);
    return *this;
}
ReleasedBody& ReleasedBody::append(const ReleasedBody& other) {
    out_ += other.out_;
    listings_.insert(listings_.end(), other.listings_.begin(), other.listings_.end());
    persons_.insert(persons_.end(), other.persons_.begin(), other.persons_.end());
    return *this;
}

Composed ReleasedBody::finish() && {
    std::vector<Listing> listings;
    listings.reserve(listings_.size());
    for (const auto& listing : listings_) listings.push_back(*listing);
    return {.body = std::move(out_),
            .disclosure = {.purpose = std::move(purpose_),
                           .decision = decision_,
                           .ledger_size = ledger_size_,
                           .subjects = subjects_of(std::move(listings), std::move(persons_))}};
}

// Its name, value and source are written one behind the other.
void ReleasedBody::list(const std::shared_ptr<const Listing>& listing) {
    if (listings_.empty() || listings_.back() != listing) listings_.push_back(listing);
}

}  // namespace consent
