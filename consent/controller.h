#pragma once

#include <string>

namespace consent {

// Who asks. Configuration; what is empty is not said.
struct Controller {
    std::string name = {};
    std::string contact = {};  // the person or office to turn to
    std::string address = {};
    std::string country = {};  // ISO 3166-1 alpha-2
    std::string email = {};
    std::string phone = {};
    std::string url = {};
    std::string policy_url = {};
    std::string service = {};     // what it offers
    std::string storage = {};     // where data are kept
    std::string retention = {};   // for how long
    std::string withdrawal = {};  // how to take a yes back

    friend bool operator==(const Controller&, const Controller&) = default;
};

}  // namespace consent
