#include "storage/folder_claim.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>

#include "storage/file.h"

namespace storage {

namespace fs = std::filesystem;

FolderClaim::~FolderClaim() {
    for (auto made = made_.rbegin(); made != made_.rend(); ++made) {
        std::error_code ignored;
        fs::remove_all(*made, ignored);
    }
}

cdp::Result<void> FolderClaim::take(const std::string& path) {
    if (::mkdir(path.c_str(), 0700) == 0) {
        add(path);
        return cdp::Result<void>::ok();
    }
    if (errno != EEXIST) return system_error("mkdir " + path, errno);
    std::error_code error;
    const bool empty = fs::is_directory(path, error) && fs::is_empty(path, error);
    if (error) return system_error("list " + path, error.value());
    if (empty) return cdp::Result<void>::ok();
    return cdp::Error{.code = cdp::ErrorCode::conflict,
                      .reason = "dir_not_empty",
                      .message = "The data folder is there already and not empty.",
                      .detail = path};
}

bool lies_within(const std::string& path, const std::string& folder) {
    std::error_code error;
    const auto inner = fs::weakly_canonical(fs::absolute(path), error);
    if (error) return false;
    const auto outer = fs::weakly_canonical(fs::absolute(folder), error);
    if (error) return false;
    const auto [end, at] = std::mismatch(outer.begin(), outer.end(), inner.begin(), inner.end());
    return end == outer.end() || (std::next(end) == outer.end() && end->empty());
}

}  // namespace storage
