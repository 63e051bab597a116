#pragma once

#include "api/callbacks.h"
#include "api/opendsr.h"
#include "cdp/base/clock.h"
#include "cdp/own_secrets.h"

namespace api {

// What OpenDSR's controllers are told, signed, at the hosts that are configured for each. All of it
// must outlive what is returned.
CallbackProtocol opendsr_callbacks(const OpenDsr& dsr, const cdp::OwnSecrets& secrets,
                                   const cdp::Clock& clock);

}  // namespace api
