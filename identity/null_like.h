#pragma once

#include <string_view>

namespace identity {

// Values that programs send when they mean nothing. Thousands of unrelated people "have" them, so
// one that slips through joins all of them; each is refused and reported, never dropped in silence.
//
// Addresses at example.com, .org, .net and under .test and .example are ordinary, although such
// lists often refuse them: they are what a newcomer tries first, and a real site sees each too
// rarely for it to join anybody. Whatever no list knows is caught when it is seen with too many
// accounts.

// For identifiers of every type. Letter case counts only for `Nan`, which is also a name.
bool is_null_like(std::string_view trimmed);

// The parts of an address in normal form: `noreply` anywhere, `test@test.com`, anything at
// .invalid.
bool is_null_like_email(std::string_view local, std::string_view domain);

// One digit repeated, or a row of digits: as typed, or as a national number; not empty.
bool is_null_like_digits(std::string_view digits);

// The above for `national`, and +1 NXX 555 01xx, which the numbering plan keeps for fiction.
bool is_null_like_phone(int country, std::string_view national);

// Ids that whole series of devices share, and UUIDs nobody drew. `id` in lower case.
bool is_null_like_device(std::string_view id);

// SHA-256, as 64 lower-case hexadecimal digits, of one of the words, addresses or rows of digits
// above, also in quotes, by any rule of hashed_forms. What has no end cannot be listed: templates,
// `noreply` at every domain, the made-up numbers of countries other than +1.
bool is_null_like_sha256(std::string_view hex);

}  // namespace identity
