#pragma once

#include <string>

namespace storage {

// Names the time since the machine was started: another one means that what the kernel had not
// written is gone. Empty when the system does not say.
std::string boot_id();

}  // namespace storage
