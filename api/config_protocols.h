#pragma once

#include "api/config_table.h"
#include "api/iab_config.h"
#include "api/opendsr_config.h"
#include "api/outgoing.h"
#include "cdp/agents.h"

namespace api {

// The tables `opendsr`, `iab`, `drp` and `outgoing` of a configuration. Files are only named here.
void read_opendsr(ConfigTable& document, OpenDsrConfig& out);
void read_iab(ConfigTable& document, IabConfig& out);
void read_drp(ConfigTable& document, cdp::AgentTerms& out);
void read_outgoing(ConfigTable& document, OutgoingConfig& out);

}  // namespace api
