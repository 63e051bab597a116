#pragma once

#include <memory>
#include <string>

#include "cdp/base/result.h"
#include "storage/store.h"

namespace storage {

// A store for work that is thrown away, in a folder of its own: durable in nothing, gone with the
// object. What an earlier process left there is removed first, so the caller must be the only one
// who uses the folder.
class ScratchStore {
public:
    static cdp::Result<std::unique_ptr<ScratchStore>> make(const std::string& path);
    ~ScratchStore();
    ScratchStore(const ScratchStore&) = delete;
    ScratchStore& operator=(const ScratchStore&) = delete;

    Store& store() { return *store_; }

private:
    explicit ScratchStore(std::string path) : path_(std::move(path)) {}

    std::string path_;
    std::unique_ptr<Store> store_;
};

}  // namespace storage
