#pragma once

#include "api/config.h"
#include "api/config_table.h"
#include "api/iab_config.h"
#include "api/opendsr_config.h"
#include "api/outgoing.h"
#include "cdp/agents.h"
#include "identity/identifier.h"

namespace api {

// The tables `opendsr`, `iab`, `drp` and `outgoing` of a configuration. Files are only named here.
// `types` are those that protocols' types can be.
void read_opendsr(ConfigTable& document, const identity::IdentifierTypes& types,
                  OpenDsrConfig& out);
void read_iab(ConfigTable& document, const identity::IdentifierTypes& types, IabConfig& out);
void read_drp(ConfigTable& document, cdp::AgentTerms& out);
void read_outgoing(ConfigTable& document, OutgoingConfig& out);

// That the files which `config`, read from `file`, names for protocols are there and can be what
// they are for. config_wrong.
cdp::Result<void> check_protocol_files(const Config& config, const std::string& file,
                                       cdp::Timestamp now);

}  // namespace api
