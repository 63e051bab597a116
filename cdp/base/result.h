#pragma once

#include <concepts>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "cdp/base/assert.h"

namespace cdp {

// What a caller may branch on; api/problem.cc maps each to an HTTP status. Add a code only when
// some caller would act on it differently.
enum class ErrorCode {
    invalid_argument,  // the input is at fault: 400
    unauthenticated,   // no key or an unknown one: 401
    forbidden,         // a known key of the wrong role: 403
    not_found,         // 404
    conflict,          // lost a race, or already there: 409
    overloaded,        // a limit of ours; try again in a moment: 429
    unavailable,       // cannot serve now: 503
    storage_full,      // 507
    corruption,        // bytes on disk are not what was written: 500
};

// A refusal, for two readers. `reason`, `message` and `pointer` go to the client and never hold
// personal data, keys or paths; `detail` is for the log and holds no personal data either.
struct Error {
    ErrorCode code = ErrorCode::unavailable;
    std::string reason = "no_result";    // stable machine code, snake_case
    std::string message = "No result.";  // one human sentence
    std::string pointer = {};            // RFC 6901, for input; empty: the whole document
    std::string detail = {};
};

template <typename T>
class Result;

template <typename U, typename T>
concept ValueOf = std::convertible_to<U, T> && !std::same_as<std::remove_cvref_t<U>, Error> &&
                  !std::same_as<std::remove_cvref_t<U>, Result<T>>;

// A value, or the reason there is none: the part of std::expected that we use.
//
// A default-made Result is an error. Boost.Asio makes one when a coroutine throws, and that must
// not look like success.
template <typename T>
class [[nodiscard]] Result {
public:
    Result() = default;
    Result(Error error) : state_(std::move(error)) {}

    template <ValueOf<T> U = T>
    Result(U&& value) : state_(std::in_place_index<1>, std::forward<U>(value)) {}

    explicit operator bool() const { return state_.index() == 1; }

    T& operator*() & { return value(); }
    const T& operator*() const& { return value(); }
    T&& operator*() && { return std::move(value()); }
    T* operator->() { return &value(); }
    const T* operator->() const { return &value(); }

    T& value() {
        CDP_ASSERT(state_.index() == 1);
        return *std::get_if<1>(&state_);
    }
    const T& value() const {
        CDP_ASSERT(state_.index() == 1);
        return *std::get_if<1>(&state_);
    }
    const Error& error() const {
        CDP_ASSERT(state_.index() == 0);
        return *std::get_if<0>(&state_);
    }

private:
    std::variant<Error, T> state_;
};

// Success without a value is made with Result<void>::ok().
template <>
class [[nodiscard]] Result<void> {
public:
    Result() : error_(Error{}) {}
    Result(Error error) : error_(std::move(error)) {}

    static Result ok() {
        Result result;
        result.error_.reset();
        return result;
    }

    explicit operator bool() const { return !error_; }
    const Error& error() const {
        CDP_ASSERT(error_.has_value());
        return *error_;
    }

private:
    std::optional<Error> error_;
};

}  // namespace cdp

// The value of `expr`, or a return of its error from the enclosing function. Not for coroutines: an
// early exit there should be visible.
#define CDP_TRY(expr)                               \
    __extension__({                                 \
        auto cdp_result = (expr);                   \
        if (!cdp_result) return cdp_result.error(); \
        std::move(*cdp_result);                     \
    })

// The same for Result<void>.
#define CDP_CHECK(expr)                                                       \
    do {                                                                      \
        if (auto cdp_result = (expr); !cdp_result) return cdp_result.error(); \
    } while (false)
