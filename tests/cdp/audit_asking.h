#pragma once

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "cdp/base/random.h"
#include "consent/audit_proof.h"
#include "consent/ledger.h"
#include "tests/cdp/audit_generator.h"
#include "tests/cdp/shown_proof.h"

// Questions asked of a shop, and what is compared: lines of text.
namespace tests {

using nlohmann::json;
using Lines = std::set<std::string>;

struct Compared {
    Lines told = {};
    Lines expected = {};
};

template <typename... Parts>
std::string line(const Parts&... parts) {
    const auto text = [](const auto& part) {
        if constexpr (std::is_same_v<std::decay_t<decltype(part)>, json>)
            return part.is_string() ? part.template get<std::string>() : part.dump();
        else if constexpr (std::is_same_v<std::decay_t<decltype(part)>, Timestamp>)
            return cdp::format_time(part);
        else if constexpr (std::is_same_v<std::decay_t<decltype(part)>, Names>) {
            std::string out;
            for (const auto& one : part) out += one + ",";
            return out;
        } else
            return std::string(part);
    };
    std::string out;
    ((out += text(parts) + " | "), ...);
    return out;
}

inline std::string name_in(const json& identifier) {
    return identifier.at("type").get<std::string>() + ":" +
           identifier.at("value").get<std::string>();
}

inline Names names_in(const json& identifiers) {
    Names out;
    for (const auto& one : identifiers) out.insert(name_in(one));
    return out;
}

inline Names fields_in(const json& fields) {
    Names out;
    for (const auto& field : fields)
        out.insert(field.at("section").get<std::string>() + "/" +
                   field.at("name").get<std::string>());
    return out;
}

inline cdp::AuditQuery about(const std::string& name) {
    return {.subject = subject_of(name)};
}

inline std::string hash_text(const std::string& text) {
    return cdp::to_hex(consent::view(consent::sha256(text)));
}

inline std::vector<const BodyGiven*> given_of(const History& known, const Names& whose) {
    std::vector<const BodyGiven*> out;
    for (const auto& one : known.given)
        if (whose.contains(one.asked)) out.push_back(&one);
    return out;
}

class Asking {
public:
    Asking(AuditedShop& of, const History& facts, std::uint64_t seed)
        : shop(of), known(facts), random(seed) {}

    // Whoever is still there, with an identifier of theirs to ask by.
    void each_person(const std::function<void(const Names&, const std::string&)>& visit) {
        for (const auto& [first, all] : known.persons()) visit(all, any_of(all));
    }
    std::string any_of(const Names& all) {
        return *std::next(all.begin(), static_cast<std::ptrdiff_t>(random.below(all.size())));
    }

    json one(std::string_view verb, const cdp::AuditQuery& query) {
        return shop.audited(verb, query);
    }

    // Of all pages; an error is an item of its own.
    json all(std::string_view verb, cdp::AuditQuery query, const std::string& list) {
        json out = json::array();
        query.page.limit = 1 + random.below(9);
        for (std::size_t pages = 0; pages < 2'000; ++pages) {
            const auto page = shop.audited(verb, query);
            if (!page.contains(list)) {
                out.push_back({{"error", page.value("error", "no list")}});
                return out;
            }
            REQUIRE(page.at(list).size() <= query.page.limit);
            for (const auto& one : page.at(list)) out.push_back(one);
            if (page.at("next").is_null()) return out;
            query.page.cursor = page.at("next");
        }
        FAIL("pages without an end: " << verb);
        return out;
    }

    consent::Proven proven(const json& shown) {
        if (keys_.empty()) {
            auto keys = shop.platform().ledger().public_keys();
            REQUIRE(keys);
            keys_ = *std::move(keys);
        }
        auto out = consent::verify(proof_shown(shown), keys_);
        INFO((out ? "" : out.error().reason + " " + out.error().pointer));
        REQUIRE(out);
        return *std::move(out);
    }

    AuditedShop& shop;
    const History& known;
    cdp::Random random;

private:
    std::vector<consent::VerifierKey> keys_ = {};
};

}  // namespace tests
