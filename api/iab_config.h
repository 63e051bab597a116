#pragma once

#include <map>
#include <string>
#include <vector>

namespace api {

// Who may send deletion requests, or have them sent on.
struct IabParty {
    std::string domain;
    std::vector<std::string> keys;  // Ed25519, the 32 bytes of each
    // Of their types of identifier those that it may send, for the type is not signed.
    std::vector<std::string> identifier_types = {"email", "phone"};
};

// How the IAB's deletion requests are taken; docs/cdp.example.toml.
struct IabConfig {
    std::vector<IabParty> parties = {};
    // Their types of identifier, and which of ours they are.
    std::map<std::string, std::string, std::less<>> identifier_types = {
        {"email", "email"},         {"phone", "phone"},   {"user_id", "user_id"},
        {"cookie", "anonymous_id"}, {"idfa", "ios.idfa"}, {"aaid", "android.idfa"}};

    const IabParty* find(std::string_view domain) const {
        for (const auto& party : parties)
            if (party.domain == domain) return &party;
        return nullptr;
    }
};

}  // namespace api
