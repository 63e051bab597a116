#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cdp/base/result.h"
#include "consent/receipt.h"

// Whether a receipt says what was recorded: told from its file and the ledger's public key alone.
namespace api {

inline constexpr std::size_t kReceiptBytesMax = 1024 * 1024;

struct CheckedReceipt {
    consent::ReceiptFormat format = consent::ReceiptFormat::ts27560;
    std::string record;  // its id
    std::string purpose;
    std::string state;
    std::uint64_t index = 0;  // of its entry in the ledger
    std::uint64_t size = 0;   // of the ledger, as signed
    std::string origin;       // the ledger's name
};

// Errors invalid_argument; the pointer names the member that does not hold. field_differs: it shows
// something else than was recorded. Also those of parse_json and consent::verify, and
// receipt_too_large and malformed_receipt.
cdp::Result<CheckedReceipt> check_receipt(std::string_view text,
                                          std::span<const consent::VerifierKey> trusted);

struct ReceiptCommand {
    std::string file;
    std::vector<std::string> keys;
    bool json = false;
};

// Needs no data folder. Exit 1 when the receipt does not hold; what does not is named on stdout.
int verify_receipt(const ReceiptCommand& command);

}  // namespace api
