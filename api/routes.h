#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "api/jobs.h"
#include "api/message.h"
#include "api/services.h"
#include "cdp/event.h"

// One table: what is served, to whom, how much it may send, and by which function. The router, the
// authorisation, CORS, the answers to OPTIONS and 405, and the tests read it.
namespace api {

// Who gets in.
enum class Door : std::uint8_t {
    open,       // anybody
    key,        // a key in the Authorization header
    write_key,  // a key in any of the places where SDKs put it
};

// A set of cdp::Role.
class Roles {
public:
    constexpr Roles() = default;
    constexpr Roles(std::initializer_list<cdp::Role> roles) {
        for (const auto role : roles) bits_ |= bit(role);
    }
    constexpr bool has(cdp::Role role) const { return (bits_ & bit(role)) != 0; }

private:
    static constexpr unsigned bit(cdp::Role role) { return 1u << static_cast<unsigned>(role); }
    unsigned bits_ = 0;
};

enum class Cors : std::uint8_t { none, any_origin, with_credentials };

// Answers at once; may read from the disk.
using Now = Response (*)(const Services&, const Request&);
// Answers by calling `answer`, once, now or later, on any thread. The request dies when it returns.
using Later = void (*)(const Services&, const Request&, Answer answer);

// What a route does. What answers later must say where it works until then.
class Handler {
public:
    Handler(Now function) : now_(function) {}
    Handler(Work where, Later function) : later_(function), work_(where) {}

    Now now() const { return now_; }        // nullptr: later
    Later later() const { return later_; }  // nullptr: now
    Work work() const { return work_; }

private:
    Now now_ = nullptr;
    Later later_ = nullptr;
    Work work_ = Work::at_once;
};

// Gives the answer of a route, also one that refuses before the handler, the form of a protocol.
using Dress = void (*)(const Services&, const Head&, Response&);

struct Route {
    Method method = Method::get;
    std::string_view path;  // {…} stands for one whole segment, {…*} at the end for several
    Door door = Door::open;
    Roles roles = {};
    bool server_sources = false;  // of sources only those whose key is secret
    Cors cors = Cors::none;
    std::size_t body_max = 0;  // inflated too
    int too_large_status = 413;
    Handler handler;

    std::vector<std::string_view> parameters = {};  // of the query; any other is refused
    bool any_parameter = false;                     // SDKs add parameters of their own

    std::optional<cdp::EventType> event_type = {};  // ingest: what the path names
    bool import = false;                            // ingest: times are taken as they are
    bool says_ok = false;                           // ingest: Jitsu looks for "ok"

    Dress dress = nullptr;  // one path has one, and all below it
};

inline constexpr std::size_t kDocumentBytesMax = 1024 * 1024;

class Routes {
public:
    // /metrics is open on a loopback address without a proxy before it, and an administrator's
    // anywhere else: its numbers say how a business is doing.
    explicit Routes(bool metrics_open);
    Routes(const Routes&) = delete;
    Routes& operator=(const Routes&) = delete;

    struct Found {
        const Route* route = nullptr;  // nullptr: no such method or path
        std::string_view parameter;
        std::span<const Route* const> same_path;  // empty: no such path
    };

    // Of what is answered at this path: also where nothing was looked for or found, at and below
    // the paths of a protocol. nullptr: as it is.
    Dress dress_of(const Found& found, std::string_view path) const;

    // HEAD finds GET. One trailing slash is tolerated where SDKs call.
    Found find(Method method, std::string_view path) const;

    std::span<const Route> all() const { return routes_; }
    std::size_t index_of(const Route* route) const {
        return route ? static_cast<std::size_t>(route - routes_.data()) : routes_.size();
    }
    // "GET /healthz", one per route, then "none".
    std::vector<std::string> names() const;

private:
    using Methods = std::vector<const Route*>;
    const Methods* find_path(std::string_view path, std::string_view& parameter) const;

    std::vector<Route> routes_;
    std::unordered_map<std::string_view, Methods> literal_;
    std::vector<std::pair<std::string_view, Methods>> patterns_;
};

// "GET, HEAD, OPTIONS"
std::string allowed_methods(std::span<const Route* const> same_path);

}  // namespace api
