#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <vector>

#include "api/config.h"
#include "api/metrics.h"
#include "cdp/access.h"
#include "cdp/backups.h"
#include "cdp/base/clock.h"
#include "cdp/key_epochs.h"
#include "cdp/platform.h"
#include "storage/database_files.h"

namespace api {

class Jobs;
class OpenDsr;
struct Request;

// What a handler may use. All of it outlives the server.
struct Services {
    cdp::Platform& platform;
    cdp::Access& access;
    const cdp::Clock& clock;

    // Does what a request is answered by away from the threads that serve the network, among what
    // its route says it is like. Once, before its handler returns.
    void aside(const Request& request, std::function<void()> work) const;

    Jobs* jobs = nullptr;
    std::function<std::string()> render_metrics;

    std::string public_url = {};  // scheme://host[:port] that SDKs are told; empty: as they asked
    std::string scheme = "http";  // in which we are asked
    PurposeTitles purpose_titles = {};
    std::string config_day = {};  // see Config::day
    std::atomic<bool>* draining = nullptr;
    cdp::KeyEpochs* key_epochs = nullptr;           // none: what is served is not a data folder
    cdp::Backups* backups = nullptr;                // the same
    const storage::DatabaseFiles* files = nullptr;  // none: the store lies in memory
    OpenDsr* open_dsr = nullptr;
    const IabConfig* iab = nullptr;
};

}  // namespace api
