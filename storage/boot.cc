#include "storage/boot.h"

#include <fcntl.h>

#include "storage/file.h"

namespace storage {

std::string boot_id() {
    const Descriptor file(::open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC));
    if (!file.ok()) return {};
    auto text = read_all(file.number(), 4096);
    if (!text) return {};
    while (text->ends_with('\n')) text->pop_back();
    return *std::move(text);
}

}  // namespace storage
