#pragma once

#include <string>

#include "cdp/base/result.h"
#include "cdp/config.h"
#include "cdp/rebuild.h"

namespace api {

struct RebuildCommand {
    std::string data;
    std::string config;
    bool check = false;
    bool json = false;
};

// The verb: exit 1 when --check finds a difference, or mending leaves one.
int rebuild(const RebuildCommand& command);

// Takes the folder for itself, makes its folds again in DIR/rebuild and, unless it only checks,
// mends them; a folder of an older format is of the present one then. Says on stderr how far it is.
cdp::Result<cdp::Rebuilt> rebuild_folder(const std::string& data, const cdp::Config& config,
                                         bool check);

}  // namespace api
