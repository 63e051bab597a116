#pragma once

#include "api/config.h"
#include "api/config_table.h"

namespace api {

// The tables `server`, `tls` and `limits` of a configuration. Files are only named here.
void read_server(ConfigTable& document, Config& out);

}  // namespace api
