#pragma once

#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "cdp/base/result.h"

namespace api {

// A request to the server that owns a data folder, over its admin socket.
struct AdminRequest {
    std::string method = "GET";
    std::string target;
    std::string body = {};
};

// What a problem document says, as the error that was refused with.
cdp::Error error_in(const nlohmann::json& problem);

// Connected to FOLDER/admin.sock, closed when it dies.
class AdminClient {
public:
    explicit AdminClient(int descriptor) : descriptor_(descriptor) {}
    ~AdminClient();
    AdminClient(AdminClient&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
    AdminClient& operator=(AdminClient&&) = delete;

    // Hands the body of a 2xx answer to `sink` as it comes; `sink` returns false to stop. The error
    // of any other answer is what the server said, with the code it stands for.
    cdp::Result<void> ask(const AdminRequest& request,
                          const std::function<bool(std::string_view)>& sink);

    // The same, answering all of it.
    cdp::Result<std::string> ask_whole(const AdminRequest& request);

    // Of an answer in lines {"progress":…} and at last {"result":…} or {"error":…}.
    cdp::Result<nlohmann::json> ask_with_progress(
        const AdminRequest& request, const std::function<void(const nlohmann::json&)>& progress);

private:
    int descriptor_;
};

}  // namespace api
