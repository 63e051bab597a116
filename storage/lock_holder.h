#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace storage {

// The process that holds a POSIX lock on the file, as the kernel lists it; nullopt when it lists
// none, or one that cannot be seen from here. Does not open the file: to close it would give up a
// lock of this process.
std::optional<int> lock_holder(const std::string& path);

// The same in such a list. `file` is MAJOR:MINOR:INODE, as there.
std::optional<int> lock_holder_in(std::string_view locks, std::string_view file);

}  // namespace storage
