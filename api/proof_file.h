#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "cdp/base/result.h"
#include "consent/note.h"

// What is checked offline: a document in a file, and the keys that are trusted.
namespace api {

// Errors of consent::parse_vkey.
cdp::Result<std::vector<consent::VerifierKey>> trusted_keys(const std::vector<std::string>& texts);

struct ProofFile {
    std::string path;
    std::size_t bytes_max = 0;
    std::string reason;  // of the error when it cannot be read, or is larger
};
cdp::Result<std::string> read_proof_file(const ProofFile& file);

}  // namespace api
