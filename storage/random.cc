#include "storage/random.h"

#include <sodium.h>

#include "cdp/base/assert.h"

namespace storage {

std::string random_bytes(std::size_t n) {
    CDP_ASSERT(sodium_init() >= 0);
    std::string bytes(n, '\0');
    randombytes_buf(bytes.data(), bytes.size());
    return bytes;
}

}  // namespace storage
