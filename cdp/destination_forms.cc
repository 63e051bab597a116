#include "cdp/destination_forms.h"

#include <algorithm>

#include "identity/hashed.h"

namespace cdp {

DestinationForms::DestinationForms(const storage::Vault& vault, const Config& config,
                                   std::string_view channel)
    : vault_(vault), config_(config), channel_(channel) {
    const auto* registered = config.policy.find_channel(channel);
    if (!registered) return;
    for (const auto& label : registered->labels) {
        if (label.transform == consent::Transform::keyed_token) token_ = true;
        if (label.transform != consent::Transform::sha256 || label.form.empty() ||
            label.form == "plain" || std::ranges::find(asked_, label.form) != asked_.end())
            continue;
        asked_.push_back(label.form);
    }
}

void DestinationForms::complete(consent::Field& field, std::string_view type) {
    hashes_.clear();
    hex_.clear();
    hex_.reserve(asked_.size());
    if (!type.empty() && !field.normal.empty()) {
        const auto form = config_.types.find(type).form;
        for (const auto& asked : asked_) {
            const auto text = identity::destination_form(form, field.normal, asked);
            if (!text) continue;
            hex_.push_back(identity::sha256_hex(*text));
            hashes_.push_back({asked, hex_.back()});
        }
    }
    field.hashes = hashes_;
    if (!token_) return;
    // An identifier has one token wherever it stands, another value one for its spelling.
    const auto value = field.normal.empty() ? field.json : field.normal;
    std::string text = channel_;
    text.append(1, '\0').append(type).append(1, '\0').append(value);
    keyed_ = to_hex(vault_.hash<Token>("value at a channel", text).view());
    field.keyed_token = keyed_;
}

}  // namespace cdp
