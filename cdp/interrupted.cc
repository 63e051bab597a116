#include "cdp/interrupted.h"
#include "cdp/privacy.h"

#include "cdp/erasures.h"
#include "cdp/stewardship.h"

namespace cdp {

Result<void> finish_interrupted(const Platform& platform) {
    CDP_CHECK(platform.stewardship().finish_interrupted());
    return platform.privacy().erasures.finish_or_refuse();
}

}  // namespace cdp
