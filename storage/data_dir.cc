#include "storage/data_dir.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <filesystem>
#include <functional>
#include <optional>
#include <string_view>
#include <system_error>
#include <vector>

#include "cdp/base/crash_point.h"
#include "storage/epochs.h"
#include "storage/file.h"
#include "storage/folder_claim.h"
#include "storage/rocks_error.h"
#include "storage/rocks_store.h"

namespace storage {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kFormatBytesMax = 64 * 1024;
constexpr std::string_view kKeyringName = "keyring";

// What DIR/FORMAT says, as lines `name = value`. A newer format may have other lines, so only
// `format` is looked at before it is known to be ours.
struct Format {
    int format = 0;
    std::string keyring;      // absolute, or relative to DIR
    std::string fingerprint;  // of the keyring
};

std::string render(const Format& format) {
    return "format = " + std::to_string(format.format) + "\nkeyring = " + format.keyring +
           "\nfingerprint = " + format.fingerprint + "\n";
}

std::optional<std::string_view> value_of(std::string_view text, std::string_view name) {
    while (!text.empty()) {
        const auto line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(line.size() + 1, text.size()));
        if (line.starts_with(name) && line.substr(name.size()).starts_with(" = "))
            return line.substr(name.size() + 3);
    }
    return std::nullopt;
}

cdp::Result<Format> parse(std::string_view text) {
    Format format;
    const auto number = value_of(text, "format").value_or("");
    const auto [end, error] =
        std::from_chars(number.data(), number.data() + number.size(), format.format);
    if (error != std::errc{} || end != number.data() + number.size() || format.format < 1)
        return store_damaged("FORMAT cannot be read");
    if (format.format > kFormat)
        return cdp::Error{.code = cdp::ErrorCode::unavailable,
                          .reason = "format_newer",
                          .message = "A newer cdp has made this data folder.",
                          .detail = "format " + std::string(number)};
    const auto keyring = value_of(text, "keyring");
    const auto fingerprint = value_of(text, "fingerprint");
    if (!keyring || keyring->empty() || !fingerprint) return store_damaged("FORMAT cannot be read");
    format.keyring = *keyring;
    format.fingerprint = *fingerprint;
    return format;
}

cdp::Result<Format> read_format(const std::string& path) {
    const auto name = path + "/FORMAT";
    const Descriptor file(::open(name.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file.ok() && (errno == ENOENT || errno == ENOTDIR))
        return cdp::Error{.code = cdp::ErrorCode::not_found,
                          .reason = "not_a_data_dir",
                          .message = "There is no data folder here; make one with cdp init.",
                          .detail = path};
    if (!file.ok()) return system_error("open " + name, errno);
    return parse(CDP_TRY(read_all(file.number(), kFormatBytesMax)));
}

RocksOptions rocks_options(const std::string& path) {
    RocksOptions options{.path = path + "/db", .mark_path = path + "/mark"};
    options.time_path = path + "/time";
    options.scrub_path = path + "/scrub";
    return options;
}

}  // namespace

cdp::Result<void> create_data_dir(const DataDir& dir) {
    const bool elsewhere = !dir.keyring_path.empty();
    const auto keyring_path = elsewhere ? fs::absolute(dir.keyring_path).string()
                                        : dir.path + "/" + std::string(kKeyringName);
    if (keyring_path.find('\n') != std::string::npos)
        return cdp::Error{.code = cdp::ErrorCode::invalid_argument,
                          .reason = "keyring_path_invalid",
                          .message = "The path of the keyring holds a line break."};

    if (!dir.ledger_origin.empty() && !is_ledger_origin(dir.ledger_origin))
        return cdp::Error{.code = cdp::ErrorCode::invalid_argument,
                          .reason = "ledger_origin_invalid",
                          .message =
                              "The ledger's origin has 1 to 255 printable characters without "
                              "spaces, plus and equals signs."};

    FolderClaim undo;
    CDP_CHECK(undo.take(dir.path));

    const auto keyring = Keyring::generate(dir.ledger_origin);
    CDP_CHECK(write_keyring(keyring_path, keyring));
    undo.add(keyring_path);

    const auto database = rocks_options(dir.path);
    undo.add(database.path);
    undo.add(database.mark_path);
    CDP_CHECK(create_rocks_store(database));

    // Last: what has a FORMAT is complete.
    const auto format = dir.path + "/FORMAT";
    undo.add(format);
    cdp::crash_point("before_format");
    CDP_CHECK(write_format(dir.path, kFormat, elsewhere ? keyring_path : std::string(kKeyringName),
                           keyring.fingerprint));
    undo.keep();
    return cdp::Result<void>::ok();
}

cdp::Result<OpenedDataDir> open_data_dir(const DataDir& dir) {
    const auto format = CDP_TRY(read_format(dir.path));
    if (format.format < kFormat && !dir.older)
        return cdp::Error{.code = cdp::ErrorCode::unavailable,
                          .reason = "format_older",
                          .message = "An older cdp has made this data folder; run cdp rebuild.",
                          .detail = "format " + std::to_string(format.format)};
    const auto recorded = fs::path(dir.path) / format.keyring;  // an absolute path replaces DIR
    const auto path = dir.keyring_path.empty() ? recorded.string() : dir.keyring_path;
    auto keyring = CDP_TRY(read_keyring(path));
    if (keyring.fingerprint != format.fingerprint)
        return cdp::Error{.code = cdp::ErrorCode::unavailable,
                          .reason = "keyring_foreign",
                          .message = "The keyring belongs to another data folder.",
                          .detail = "FORMAT names " + format.fingerprint};
    auto database = rocks_options(dir.path);
    database.block_cache_bytes = dir.block_cache_bytes;
    database.inspect = [&](const Snapshot& snapshot) { return check_epochs(keyring, snapshot); };
    auto store = CDP_TRY(open_rocks_store(database));
    // What a change of the keyring left that did not come to its end.
    CDP_CHECK(discard_file(path + ".new"));
    CDP_CHECK(adopt_epochs(*store, keyring, {}));
    if (!keyring.ledger) {
        keyring.renew_ledger_key();
        CDP_CHECK(replace_keyring(path, keyring));
    }
    return OpenedDataDir{.keyring = std::move(keyring),
                         .keyring_path = path,
                         .store = std::move(store),
                         .format = format.format};
}

cdp::Result<void> write_format(const std::string& path, int format, const std::string& keyring,
                               const std::string& fingerprint) {
    CDP_CHECK(
        write_new_file(path + "/FORMAT",
                       render({.format = format, .keyring = keyring, .fingerprint = fingerprint})));
    return sync_folder(folder_of(path));
}

cdp::Result<std::string> recorded_keyring(const std::string& path) {
    const auto format = CDP_TRY(read_format(path));
    return (fs::path(path) / format.keyring).string();
}

cdp::Result<void> record_format(const DataDir& dir) {
    auto format = CDP_TRY(read_format(dir.path));
    if (format.format == kFormat) return cdp::Result<void>::ok();
    format.format = kFormat;
    const auto name = dir.path + "/FORMAT";
    return replace_file(name, render(format));
}

}  // namespace storage
