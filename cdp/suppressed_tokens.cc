#include "cdp/suppressed_tokens.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "cdp/suppression_rows.h"
#include "consent/suppression.h"
#include "storage/key.h"

namespace cdp {
namespace {

std::uint64_t start_of(const Token& token) {
    std::uint64_t start = 0;
    std::memcpy(&start, token.bytes.data(), sizeof start);
    return start;
}

std::string numbers_key() {
    return storage::KeyWriter(storage::Space::do_not_contact, Token::from("suppressed numbe"))
        .str();
}

}  // namespace

Result<bool> SuppressedTokens::any(storage::Transaction& transaction) const {
    CDP_CHECK(load());
    {
        const std::shared_lock lock(mutex_);
        if (!starts_.empty()) return true;
    }
    transaction.watch(suppression_list_prefix());
    return false;
}

Result<bool> SuppressedTokens::may_have(storage::Transaction& transaction,
                                        const Token& token) const {
    CDP_CHECK(load());
    transaction.watch(consent::suppressions_prefix(token));
    const std::shared_lock lock(mutex_);
    return starts_.contains(start_of(token));
}

Result<bool> SuppressedTokens::any_number(storage::Transaction& transaction) const {
    CDP_CHECK(load());
    if (numbers_.load(std::memory_order_acquire)) return true;
    transaction.watch(numbers_key());
    return false;
}

Result<void> SuppressedTokens::put_number(storage::Transaction& transaction) const {
    CDP_CHECK(load());
    numbers_.store(true, std::memory_order_release);
    transaction.put(numbers_key(), "");
    return Result<void>::ok();
}

Result<void> SuppressedTokens::put(std::span<const Token> tokens) const {
    CDP_CHECK(load());
    const std::unique_lock lock(mutex_);
    for (const Token& token : tokens) starts_.insert(start_of(token));
    return Result<void>::ok();
}

Result<void> SuppressedTokens::load() const {
    if (loaded_.load(std::memory_order_acquire)) return Result<void>::ok();
    const std::lock_guard only_one(loading_);
    if (loaded_.load(std::memory_order_acquire)) return Result<void>::ok();
    const auto snapshot = store_.snapshot();
    const auto all = CDP_TRY(all_suppressions(*snapshot, vault_));
    if (CDP_TRY(snapshot->get(numbers_key()))) numbers_.store(true, std::memory_order_release);
    const std::unique_lock lock(mutex_);
    for (const auto& one : all)
        for (const Token& token : one.tokens) starts_.insert(start_of(token));
    loaded_.store(true, std::memory_order_release);
    return Result<void>::ok();
}

Result<void> SuppressedTokens::heed_hashes(storage::Transaction& transaction) const {
    struct Known {
        Token hash;
        Token token;
    };
    std::vector<Known> met;
    constexpr std::size_t kSpaceAt = storage::kGroupBytes - sizeof(Token::bytes) - 1;
    for (const auto& write : transaction.writes())
        if (write.value && write.key[kSpaceAt] == static_cast<char>(storage::Space::hash_form))
            met.push_back(
                {storage::subject_in(write.key), storage::KeyReader(write.key).id<Token>()});
    for (const auto& [hash, token] : met)
        if (CDP_TRY(may_have(transaction, hash))) CDP_CHECK(stand_under(transaction, hash, token));
    return Result<void>::ok();
}

Result<void> SuppressedTokens::stand_under(storage::Transaction& transaction, const Token& hash,
                                           const Token& token) const {
    for (auto& one : CDP_TRY(suppressions_naming(transaction, vault_, hash))) {
        if (std::ranges::find(one.tokens, token) != one.tokens.end()) continue;
        one.tokens.push_back(token);
        CDP_CHECK(put(one.tokens));
        put_suppression(transaction, vault_, one);
    }
    return Result<void>::ok();
}

}  // namespace cdp
