#pragma once

#include <optional>
#include <string>

#include "api/message.h"
#include "api/services.h"

namespace api {

// The key of a request, from the first place that has one: Authorization (Bearer, or Basic with the
// key as user), then, with Door::write_key, X-Write-Key, the query's writeKey and the body's. A
// place that has one decides, also when it is wrong: SDKs put masked keys in later places.
std::optional<std::string> key_of(const Request& request);

// Whether the head alone says who asks, or that nobody does: a key that it names decides.
bool is_known_by_head(const Request& request);

enum class Entry { granted, no_key, wrong_key, wrong_role, public_key };

// Whether the caller may; sets request.caller when there is one.
Entry authorise(const Services& services, Request& request);
// What is answered then: 401 without a key in force, 403 for the wrong role, or for a source whose
// key is public where secret ones are asked for.
Response refusal_of(Entry entry);

}  // namespace api
