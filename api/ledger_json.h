#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "consent/ledger.h"
#include "consent/ledger_check.h"
#include "consent/note.h"

// What is said of the ledger as JSON; each ends with a newline.
namespace api {

std::string render_ledger_keys(std::span<const consent::VerifierKey> keys);
std::string render_ledger_progress(std::string_view stage, std::uint64_t done);
std::string render_ledger_checked(const consent::LedgerChecked& checked);

// ledger.cc: that an entry is in the ledger, as of its latest checkpoint. Error not_found.
cdp::Result<consent::TlogProof> prove_entry(const consent::Ledger& ledger, std::uint64_t index);

}  // namespace api
