#pragma once

#include <string>

#include "api/opendsr.h"
#include "cdp/agents.h"
#include "cdp/base/clock.h"
#include "cdp/own_secrets.h"
#include "cdp/privacy_request.h"

namespace api {

// What the Data Rights Protocol's answers are made with. All of it outlives them.
struct DrpAnswers {
    const OpenDsr& place;  // whose URLs these are
    const cdp::OwnSecrets& secrets;
    const cdp::Agents& agents;
    const cdp::Clock& clock;
};

// The exercise status object of a request as it stands, with where the person is sent on to.
std::string drp_answer(const DrpAnswers& with, const cdp::PrivacyRequest& request);

}  // namespace api
