#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "cdp/config.h"
#include "cdp/groups.h"
#include "cdp/platform.h"
#include "consent/consents.h"
#include "identity/graph.h"

namespace cdp {

// Everything of one kind as NDJSON, for those who run the platform.
class Exporter {
public:
    struct Needs {
        const storage::Store& store;
        const storage::Vault& vault;
        const identity::Graph& graph;
        const consent::Consents& consents;
        const Groups& groups;
        const Config& config;
        const Clock& clock;
    };
    using Sink = std::function<bool(std::string_view line)>;

    explicit Exporter(Needs needs) : needs_(needs) {}

    // See Platform::export_lines.
    Result<void> run(ExportKind kind, const Sink& sink) const;

private:
    Result<void> events(const storage::Snapshot& snapshot, const Sink& sink) const;
    Result<bool> shared_events(const storage::Snapshot& snapshot, const Token& home,
                               const PersonId& nobody, const Sink& sink) const;
    Result<void> persons(const storage::Snapshot& snapshot, const Sink& sink) const;
    Result<void> links(const storage::Snapshot& snapshot, const Sink& sink) const;
    Result<void> consents(const storage::Snapshot& snapshot, const Sink& sink) const;
    Result<void> groups(const storage::Snapshot& snapshot, const Sink& sink) const;

    Needs needs_;
};

}  // namespace cdp
