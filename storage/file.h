#pragma once

#include <string>
#include <string_view>

#include "cdp/base/result.h"

// Small files that must be on disk, whole, when a call returns.
namespace storage {

// An open file descriptor, closed when it goes.
class Descriptor {
public:
    explicit Descriptor(int number) : number_(number) {}
    ~Descriptor();
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;

    int number() const { return number_; }
    bool ok() const { return number_ >= 0; }

private:
    int number_;
};

// What errno says about a failed call; `doing` names the call and the file, for the log.
cdp::Error system_error(std::string_view doing, int error_number);

// Everything, or an error at end of file.
cdp::Result<void> write_all(int descriptor, std::string_view bytes);
cdp::Result<std::string> read_all(int descriptor, std::size_t bytes_max);

// Makes the names in a folder durable.
cdp::Result<void> sync_folder(const std::string& path);
// The folder that holds `path`.
std::string folder_of(const std::string& path);

// A new file with mode 0600, durable together with its name. Refuses to overwrite (reason
// `file_exists`); removes what it made when it fails.
cdp::Result<void> write_new_file(const std::string& path, std::string_view bytes);

// The same, but takes the place of a file that may be there, whole or not at all; the bytes of that
// one are overwritten (discard_file). `path`.new is used on the way. After an error either may be
// there.
cdp::Result<void> replace_file(const std::string& path, std::string_view bytes);

// Overwrites a file with zeros, on disk, and unlinks it. Nothing when there is none.
cdp::Result<void> discard_file(const std::string& path);

// A file that only its owner may read. `name` says what it is, in snake_case. Errors:
// NAME_missing, NAME_exposed (a link, no plain file, another's, or open to others).
cdp::Result<std::string> read_secret_file(const std::string& path, const std::string& name,
                                          std::size_t bytes_max);

}  // namespace storage
