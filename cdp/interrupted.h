#pragma once

#include "cdp/platform.h"

namespace cdp {

// Finishes what a process that ended left half done: assertions and erasures. For who opens a data
// folder without serving it; when it fails nothing else is to be asked of the platform. Errors:
// rules_differ, erasure_interrupted (unavailable), and those of the store.
Result<void> finish_interrupted(const Platform& platform);

}  // namespace cdp
