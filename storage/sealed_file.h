#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "cdp/base/result.h"
#include "storage/file.h"
#include "storage/vault.h"

// Files sealed in pieces, so that they may be longer than memory. A file that was cut, changed or
// given another name does not open.
//
// Layout: "cdpseal1", the 24 bytes that begin a secretstream (XChaCha20-Poly1305), then pieces of
// 64 KiB and 17 bytes; only the last has the tag FINAL and may be shorter. What the file is called
// (`label`) is authenticated with each piece.
namespace storage {

inline constexpr std::size_t kPieceBytes = 64 * 1024;

// Of a file with so many bytes of plain text.
std::uint64_t sealed_size(std::uint64_t plain);

cdp::Error backup_damaged(std::string detail);

class SealedWriter {
public:
    // Writes `path`.new until it is finished; what was there under that name goes.
    static cdp::Result<std::unique_ptr<SealedWriter>> make(const std::string& path,
                                                           const SubjectKey& key,
                                                           const std::string& label);
    // Removes what was not finished.
    ~SealedWriter();
    SealedWriter(const SealedWriter&) = delete;
    SealedWriter& operator=(const SealedWriter&) = delete;

    cdp::Result<void> write(std::string_view bytes);
    // Takes the place of `path`, its bytes on disk. That the name is there for good takes
    // sync_folder.
    cdp::Result<void> finish();

private:
    struct Stream;
    SealedWriter(std::string path, int descriptor, const SubjectKey& key, std::string label);
    cdp::Result<void> push(std::string_view piece, bool last);

    const std::string path_;
    const Descriptor file_;
    const std::string label_;
    const std::unique_ptr<Stream> stream_;
    std::string waiting_;  // less than a piece, or one that may be the last
    std::string sealed_;
    bool finished_ = false;
};

class SealedReader {
public:
    // Error corruption, backup_damaged: it is missing, or none.
    static cdp::Result<std::unique_ptr<SealedReader>> open(const std::string& path,
                                                           const SubjectKey& key,
                                                           const std::string& label);
    ~SealedReader();
    SealedReader(const SealedReader&) = delete;
    SealedReader& operator=(const SealedReader&) = delete;

    // The next bytes, until the next call; empty: that was all, and the file is whole. Errors:
    // backup_damaged, and those of the disk.
    cdp::Result<std::string_view> next();

private:
    struct Stream;
    SealedReader(std::string path, int descriptor, std::string label);

    const std::string path_;
    const Descriptor file_;
    const std::string label_;
    const std::unique_ptr<Stream> stream_;
    std::string sealed_;
    std::string plain_;
    bool done_ = false;
};

// Small ones at once. Writing is durable, name included.
cdp::Result<void> write_sealed(const std::string& path, const SubjectKey& key,
                               const std::string& label, std::string_view plain);
cdp::Result<std::string> read_sealed(const std::string& path, const SubjectKey& key,
                                     const std::string& label);

}  // namespace storage
