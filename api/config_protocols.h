#pragma once

#include "api/config_table.h"
#include "api/iab_config.h"
#include "api/opendsr_config.h"
#include "api/outgoing.h"

namespace api {

// The tables `opendsr`, `iab` and `outgoing` of a configuration. Files are only named here.
void read_opendsr(ConfigTable& document, OpenDsrConfig& out);
void read_iab(ConfigTable& document, IabConfig& out);
void read_outgoing(ConfigTable& document, OutgoingConfig& out);

}  // namespace api
