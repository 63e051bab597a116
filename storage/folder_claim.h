#pragma once

#include <string>
#include <vector>

#include "cdp/base/result.h"

namespace storage {

// A folder that is being made. Unless it is kept, what was made goes with the claim.
class FolderClaim {
public:
    FolderClaim() = default;
    ~FolderClaim();
    FolderClaim(const FolderClaim&) = delete;
    FolderClaim& operator=(const FolderClaim&) = delete;

    // The folder is there and empty, or made. Error conflict, dir_not_empty.
    cdp::Result<void> take(const std::string& path);
    // Made in or for it.
    void add(std::string path) { made_.push_back(std::move(path)); }
    void keep() { made_.clear(); }

private:
    std::vector<std::string> made_;
};

// `path` is `folder` or below it, links followed as far as there is anything.
bool lies_within(const std::string& path, const std::string& folder);

}  // namespace storage
