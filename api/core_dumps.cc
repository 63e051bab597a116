#include "api/core_dumps.h"

#include <sys/prctl.h>
#include <sys/resource.h>

namespace api {

void forbid_core_dumps() {
    // The limit alone does not hold where dumps are piped to a program.
    const rlimit none{0, 0};
    ::setrlimit(RLIMIT_CORE, &none);
    ::prctl(PR_SET_DUMPABLE, 0);
}

}  // namespace api
