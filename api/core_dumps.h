#pragma once

namespace api {

// From now on a crash leaves no copy of this process's memory on disk, and no other process of the
// same user may look into it: there are keys and personal data in it.
void forbid_core_dumps();

}  // namespace api
