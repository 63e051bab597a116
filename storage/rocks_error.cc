#include "storage/rocks_error.h"

namespace storage {

cdp::Error store_damaged(std::string detail) {
    return {.code = cdp::ErrorCode::corruption,
            .reason = "store_damaged",
            .message = "A file of the store is damaged or missing.",
            .detail = std::move(detail)};
}

cdp::Error dir_locked(std::string detail, std::optional<int> holder) {
    const auto who = holder ? ", with the id " + std::to_string(*holder) + "," : std::string();
    return {.code = cdp::ErrorCode::conflict,
            .reason = "dir_locked",
            .message = "Another process" + who + " has this data folder open.",
            .detail = std::move(detail)};
}

cdp::Error translate(const rocksdb::Status& status, const char* doing) {
    const auto detail = std::string(doing) + ": " + status.ToString();
    if (status.IsCorruption()) return store_damaged(detail);
    const bool full = status.IsNoSpace() || status.subcode() == rocksdb::Status::kSpaceLimit;
    return {.code = full ? cdp::ErrorCode::storage_full : cdp::ErrorCode::unavailable,
            .reason = full ? "disk_full" : "storage_failed",
            .message = full ? "The disk is full." : "The disk cannot be used.",
            .detail = detail};
}

cdp::Error translate_open(const rocksdb::Status& status, const std::string& path) {
    const auto detail = path + ": " + status.ToString();
    // InvalidArgument: a column family that should be there is not, or the reverse.
    const bool missing =
        status.IsPathNotFound() || status.IsNotFound() || status.IsInvalidArgument();
    if (missing) return store_damaged(detail);
    auto error = translate(status, "open");
    error.detail = detail;
    return error;
}

}  // namespace storage
