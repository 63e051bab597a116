#include "storage/backup_repo.h"

#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <set>
#include <system_error>

#include "storage/file.h"
#include "storage/key_text.h"

namespace storage {
namespace {

namespace fs = std::filesystem;

constexpr int kRepoFormat = 1;
constexpr std::size_t kFormatBytesMax = 64 * 1024;
constexpr std::string_view kManifest = ".manifest";
constexpr std::string_view kKeys = ".keys";
constexpr std::string_view kUnfinished = ".new";
constexpr std::size_t kNumberDigits = 12;

struct RepoFormat {
    std::string fingerprint;
    std::string keyring;
};

cdp::Error missing(const std::string& path) {
    return {.code = cdp::ErrorCode::not_found,
            .reason = "backup_missing",
            .message = "There are no backups here.",
            .detail = path};
}

cdp::Error stopped() {
    return {
        .code = cdp::ErrorCode::unavailable, .reason = "stopping", .message = "It was stopped."};
}

std::string render(const RepoFormat& format) {
    const auto lines = "cdp-backups\nformat = " + std::to_string(kRepoFormat) +
                       "\nfingerprint = " + format.fingerprint + "\nkeyring = " + format.keyring +
                       "\n";
    return lines + check_line(lines);
}

// The value of the line `name = value` that comes next.
std::optional<std::string> take(std::string_view& text, std::string_view name) {
    const auto line = text.substr(0, text.find('\n'));
    if (line.size() == text.size() || !line.starts_with(name) ||
        !line.substr(name.size()).starts_with(" = "))
        return std::nullopt;
    text.remove_prefix(line.size() + 1);
    return std::string(line.substr(name.size() + 3));
}

// A newer one may have other lines, but is checked alike.
cdp::Result<RepoFormat> read_format(const std::string& path) {
    const auto name = path + "/FORMAT";
    const Descriptor file(::open(name.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file.ok() && (errno == ENOENT || errno == ENOTDIR)) return missing(path);
    if (!file.ok()) return system_error("open " + name, errno);
    const auto text = CDP_TRY(read_all(file.number(), kFormatBytesMax));
    const auto lines = checked_lines(text);
    constexpr std::string_view kMagic = "cdp-backups\n";
    if (!lines || !lines->starts_with(kMagic)) return backup_damaged(name);
    auto rest = lines->substr(kMagic.size());
    const auto number = take(rest, "format").value_or("");
    int format = 0;
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), format);
    if (error != std::errc{} || end != number.data() + number.size()) return backup_damaged(name);
    if (format > kRepoFormat)
        return cdp::Error{.code = cdp::ErrorCode::unavailable,
                          .reason = "backup_newer",
                          .message = "A newer cdp has made these backups.",
                          .detail = "format " + number};
    auto fingerprint = take(rest, "fingerprint");
    auto keyring = take(rest, "keyring");
    if (!fingerprint || !keyring || !rest.empty()) return backup_damaged(name);
    return RepoFormat{*std::move(fingerprint), *std::move(keyring)};
}

cdp::Result<std::vector<std::string>> names_in(const std::string& folder) {
    std::vector<std::string> names;
    std::error_code error;
    for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error))
        names.push_back(at->path().filename().string());
    if (error == std::errc::no_such_file_or_directory)
        return backup_damaged(folder + " is missing");
    if (error) return system_error("list " + folder, error.value());
    std::ranges::sort(names);
    return names;
}

cdp::Result<void> make_folder(const std::string& path) {
    if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST)
        return system_error("mkdir " + path, errno);
    return cdp::Result<void>::ok();
}

std::string numbered(std::uint64_t number) {
    auto digits = std::to_string(number);
    return std::string(kNumberDigits - std::min(kNumberDigits, digits.size()), '0') + digits;
}

std::string erasures_label(const std::string& name) {
    return "erasures " + name;
}

}  // namespace

BackupRepo::BackupRepo(std::string path, const Vault& vault)
    : path_(std::move(path)),
      key_(vault.own_key("backups")),
      name_key_(vault.own_key("names in backups")) {}

cdp::Result<BackupRepo> BackupRepo::open(const std::string& path, const Vault& vault,
                                         const std::string& fingerprint) {
    const auto format = CDP_TRY(read_format(path));
    if (format.fingerprint != fingerprint)
        return cdp::Error{.code = cdp::ErrorCode::unavailable,
                          .reason = "backup_foreign",
                          .message = "These backups belong to another keyring.",
                          .detail = "they name " + format.fingerprint};
    return BackupRepo(path, vault);
}

cdp::Result<BackupRepo> BackupRepo::open_or_make(const std::string& path, const Vault& vault,
                                                 const std::string& fingerprint,
                                                 const std::string& keyring_path) {
    auto opened = open(path, vault, fingerprint);
    if (opened || opened.error().reason != "backup_missing") return opened;
    std::error_code error;
    CDP_CHECK(make_folder(path));
    // What a create that was killed right here has made is ours.
    for (const auto& name : CDP_TRY(names_in(path)))
        if (name != "files" && name != "backups" && name != "erasures" && name != "FORMAT.new")
            return cdp::Error{.code = cdp::ErrorCode::conflict,
                              .reason = "dir_not_empty",
                              .message = "The folder for backups holds something else.",
                              .detail = path};
    for (const char* folder : {"/files", "/backups", "/erasures"})
        CDP_CHECK(make_folder(path + folder));
    CDP_CHECK(replace_file(path + "/FORMAT", render({fingerprint, keyring_path})));
    CDP_CHECK(sync_folder(folder_of(path)));
    return BackupRepo(path, vault);
}

cdp::Result<std::string> BackupRepo::keyring_path(const std::string& path) {
    return CDP_TRY(read_format(path)).keyring;
}

cdp::Result<std::vector<std::string>> BackupRepo::ids() const {
    std::vector<std::string> ids;
    for (const auto& name : CDP_TRY(names_in(path_ + "/backups"))) {
        if (!name.ends_with(kManifest)) continue;
        auto id = name.substr(0, name.size() - kManifest.size());
        if (is_backup_id(id)) ids.push_back(std::move(id));
    }
    return ids;
}

cdp::Result<BackupManifest> BackupRepo::manifest(const std::string& id) const {
    const auto path = path_ + "/backups/" + id + std::string(kManifest);
    if (!is_backup_id(id) || ::access(path.c_str(), F_OK) != 0)
        return cdp::Error{.code = cdp::ErrorCode::not_found,
                          .reason = "backup_unknown",
                          .message = "There is no such backup here.",
                          .detail = id};
    const auto plain = CDP_TRY(read_sealed(path, key_, "manifest " + id));
    auto manifest = decode_manifest(plain);
    if (!manifest || manifest->id != id) return backup_damaged(path);
    return *std::move(manifest);
}

cdp::Result<void> BackupRepo::put_manifest(const BackupManifest& manifest) const {
    return write_sealed(path_ + "/backups/" + manifest.id + std::string(kManifest), key_,
                        "manifest " + manifest.id, encode(manifest));
}

std::string BackupRepo::file_path(const BackupManifest::File& file) const {
    return path_ + "/files/" + file.sealed;
}

std::string BackupRepo::keys_path(const std::string& id) const {
    return path_ + "/backups/" + id + std::string(kKeys);
}

namespace {

// Hands a file's bytes on.
cdp::Result<void> each_piece(const std::string& path, const BackupRepo::Sink& sink) {
    const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file.ok()) return system_error("open " + path, errno);
    std::string piece(kPieceBytes, '\0');
    for (;;) {
        const auto n = ::read(file.number(), piece.data(), piece.size());
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return system_error("read " + path, errno);
        if (n == 0) return cdp::Result<void>::ok();
        CDP_CHECK(sink(std::string_view(piece).substr(0, static_cast<std::size_t>(n))));
    }
}

// What names a file: BLAKE2b-256 under a key of the keyring's own.
class NameHash {
public:
    explicit NameHash(const SubjectKey& key) {
        crypto_generichash_init(&state_, key.bytes().data(), key.bytes().size(), kBytes);
    }
    void add(std::string_view bytes) {
        crypto_generichash_update(&state_, reinterpret_cast<const unsigned char*>(bytes.data()),
                                  bytes.size());
    }
    std::string hex() {
        std::array<unsigned char, kBytes> hash;
        crypto_generichash_final(&state_, hash.data(), hash.size());
        return cdp::to_hex({reinterpret_cast<const char*>(hash.data()), hash.size()});
    }

private:
    static constexpr std::size_t kBytes = 32;
    crypto_generichash_state state_;
};

}  // namespace

cdp::Result<std::string> BackupRepo::name_of(const std::string& path,
                                             const BytesDone& report) const {
    NameHash hash(name_key_);
    CDP_CHECK(each_piece(path, [&](std::string_view piece) {
        hash.add(piece);
        return report(piece.size()) ? cdp::Result<void>::ok() : stopped();
    }));
    return hash.hex();
}

cdp::Result<BackupRepo::Added> BackupRepo::add_file(const std::string& folder,
                                                    const std::string& name,
                                                    const BytesDone& report) const {
    const auto from = folder + "/" + name;
    Added added;
    added.file.name = name;
    added.file.sealed = CDP_TRY(name_of(from, [&](std::uint64_t bytes) {
        added.file.bytes += bytes;
        return report(bytes);
    }));
    if (look_at(added.file)) return added;
    added.copied = true;
    const auto writer =
        CDP_TRY(SealedWriter::make(file_path(added.file), key_, "file " + added.file.sealed));
    CDP_CHECK(each_piece(from, [&](std::string_view piece) -> cdp::Result<void> {
        if (!report(0)) return stopped();
        return writer->write(piece);
    }));
    CDP_CHECK(writer->finish());
    return added;
}

cdp::Result<void> BackupRepo::look_at(const BackupManifest::File& file) const {
    struct stat status{};
    const auto path = file_path(file);
    if (::stat(path.c_str(), &status) != 0) return backup_damaged(path + " is missing");
    if (static_cast<std::uint64_t>(status.st_size) != sealed_size(file.bytes))
        return backup_damaged(path + " has another length");
    return cdp::Result<void>::ok();
}

cdp::Result<void> BackupRepo::read_file(const BackupManifest::File& file, const Sink& sink) const {
    const auto reader = CDP_TRY(SealedReader::open(file_path(file), key_, "file " + file.sealed));
    std::uint64_t bytes = 0;
    for (;;) {
        const auto piece = CDP_TRY(reader->next());
        if (piece.empty()) break;
        bytes += piece.size();
        CDP_CHECK(sink(piece));
    }
    return bytes == file.bytes ? cdp::Result<void>::ok() : backup_damaged(file_path(file));
}

cdp::Result<void> BackupRepo::verify_file(const BackupManifest::File& file,
                                          const BytesDone& report) const {
    NameHash hash(name_key_);
    CDP_CHECK(read_file(file, [&](std::string_view piece) {
        hash.add(piece);
        return report(piece.size()) ? cdp::Result<void>::ok() : stopped();
    }));
    return hash.hex() == file.sealed ? cdp::Result<void>::ok() : backup_damaged(file_path(file));
}

cdp::Result<std::uint64_t> BackupRepo::count_erasures() const {
    std::uint64_t count = 0;
    const auto folder = path_ + "/erasures";
    for (const auto& name : CDP_TRY(names_in(folder))) {
        if (name.ends_with(kUnfinished)) continue;
        if (name != numbered(++count)) return backup_damaged(folder + " lacks records");
    }
    return count;
}

cdp::Result<void> BackupRepo::add_erasures(std::string_view record) const {
    const auto name = numbered(CDP_TRY(count_erasures()) + 1);
    return write_sealed(path_ + "/erasures/" + name, key_, erasures_label(name), record);
}

cdp::Result<std::vector<std::string>> BackupRepo::erasures(std::uint64_t least) const {
    const auto count = CDP_TRY(count_erasures());
    if (count < least) return backup_damaged(path_ + "/erasures lacks records");
    std::vector<std::string> records;
    for (std::uint64_t number = 1; number <= count; ++number) {
        const auto name = numbered(number);
        records.push_back(
            CDP_TRY(read_sealed(path_ + "/erasures/" + name, key_, erasures_label(name))));
    }
    return records;
}

cdp::Result<void> BackupRepo::drop_unfinished() const {
    const auto drop = [](const std::string& path) -> cdp::Result<void> {
        if (::unlink(path.c_str()) != 0 && errno != ENOENT)
            return system_error("unlink " + path, errno);
        return cdp::Result<void>::ok();
    };
    for (const char* folder : {"/files/", "/backups/", "/erasures/"})
        for (const auto& name : CDP_TRY(names_in(path_ + folder)))
            if (name.ends_with(kUnfinished)) CDP_CHECK(drop(path_ + folder + name));
    const auto whole = CDP_TRY(ids());
    for (const auto& name : CDP_TRY(names_in(path_ + "/backups")))
        if (name.ends_with(kKeys) &&
            !std::ranges::binary_search(whole, name.substr(0, name.size() - kKeys.size())))
            CDP_CHECK(drop(path_ + "/backups/" + name));
    return cdp::Result<void>::ok();
}

cdp::Result<void> BackupRepo::drop_unnamed() const {
    std::set<std::string> named;
    for (const auto& id : CDP_TRY(ids())) {
        const auto of = manifest(id);
        if (!of) return cdp::Result<void>::ok();
        for (const auto& file : of->files) named.insert(file.sealed);
    }
    for (const auto& name : CDP_TRY(names_in(path_ + "/files")))
        if (!named.contains(name)) ::unlink((path_ + "/files/" + name).c_str());
    return cdp::Result<void>::ok();
}

cdp::Result<void> BackupRepo::sync() const {
    CDP_CHECK(sync_folder(path_ + "/files"));
    return sync_folder(path_ + "/backups");
}

}  // namespace storage
