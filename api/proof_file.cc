#include "api/proof_file.h"

#include <fcntl.h>

#include "api/parameters.h"
#include "storage/file.h"

namespace api {

cdp::Result<std::vector<consent::VerifierKey>> trusted_keys(const std::vector<std::string>& texts) {
    std::vector<consent::VerifierKey> keys;
    for (const auto& text : texts) keys.push_back(CDP_TRY(consent::parse_vkey(text)));
    return keys;
}

cdp::Result<std::string> read_proof_file(const ProofFile& file) {
    const storage::Descriptor opened(::open(file.path.c_str(), O_RDONLY | O_CLOEXEC));
    auto text = opened.ok() ? storage::read_all(opened.number(), file.bytes_max + 1)
                            : cdp::Result<std::string>();
    if (text && text->size() <= file.bytes_max) return text;
    return invalid(file.reason, file.path + ": The file cannot be read, or is over " +
                                    std::to_string(file.bytes_max >> 20) + " MiB.");
}

}  // namespace api
