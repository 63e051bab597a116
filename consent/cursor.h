#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "storage/vault.h"

namespace consent {

// A place in a list, as its reader keeps it for us: sealed, because the place may be that of
// something withheld.
class Cursor {
public:
    // `holder` is the question and whom it is given to; of another it does not open.
    static Cursor seal(const storage::Vault& vault, std::string_view holder,
                       std::string_view place);
    // The place; nullopt when the text is not one that was given to this holder.
    static std::optional<std::string> open(const storage::Vault& vault, std::string_view holder,
                                           std::string_view text);

    // Hexadecimal digits.
    const std::string& text() const { return text_; }

private:
    explicit Cursor(std::string text) : text_(std::move(text)) {}

    std::string text_;
};

}  // namespace consent
