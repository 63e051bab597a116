#pragma once

#include <string>

namespace api {

// `cdp verify`: reads all of a data folder, through the running server if there is one. Exit 70
// when anything is not as it was written.
int verify_data(const std::string& data, bool json);

}  // namespace api
