#pragma once

#include <cstddef>
#include <string>

namespace storage {

// From the system's cryptographic generator: for keys, salts and names nobody may guess.
std::string random_bytes(std::size_t n);

}  // namespace storage
