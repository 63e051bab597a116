#include "storage/sealed_file.h"

#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

namespace storage {
namespace {

constexpr std::string_view kMagic = "cdpseal1";
constexpr std::size_t kHeaderBytes = crypto_secretstream_xchacha20poly1305_HEADERBYTES;
constexpr std::size_t kExtraBytes = crypto_secretstream_xchacha20poly1305_ABYTES;
static_assert(kHeaderBytes == 24 && kExtraBytes == 17);

const unsigned char* bytes_of(std::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* bytes_of(std::string& text) {
    return reinterpret_cast<unsigned char*>(text.data());
}

// Fills `bytes` as far as the file goes; how far.
cdp::Result<std::size_t> read_up_to(int descriptor, std::string& bytes, const std::string& path) {
    std::size_t done = 0;
    while (done < bytes.size()) {
        const auto n = ::read(descriptor, bytes.data() + done, bytes.size() - done);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return system_error("read " + path, errno);
        if (n == 0) break;
        done += static_cast<std::size_t>(n);
    }
    return done;
}

}  // namespace

std::uint64_t sealed_size(std::uint64_t plain) {
    const auto pieces = plain == 0 ? 1 : (plain + kPieceBytes - 1) / kPieceBytes;
    return kMagic.size() + kHeaderBytes + plain + pieces * kExtraBytes;
}

cdp::Error backup_damaged(std::string detail) {
    return {.code = cdp::ErrorCode::corruption,
            .reason = "backup_damaged",
            .message = "A file of the backup is damaged or missing.",
            .detail = std::move(detail)};
}

struct SealedWriter::Stream {
    crypto_secretstream_xchacha20poly1305_state state;
    ~Stream() { sodium_memzero(&state, sizeof state); }
};

struct SealedReader::Stream {
    crypto_secretstream_xchacha20poly1305_state state;
    ~Stream() { sodium_memzero(&state, sizeof state); }
};

SealedWriter::SealedWriter(std::string path, int descriptor, const SubjectKey& key,
                           std::string label)
    : path_(std::move(path)),
      file_(descriptor),
      label_(std::move(label)),
      stream_(std::make_unique<Stream>()),
      sealed_(kHeaderBytes, '\0') {
    crypto_secretstream_xchacha20poly1305_init_push(&stream_->state, bytes_of(sealed_),
                                                    key.bytes().data());
    sealed_.insert(0, kMagic);
}

cdp::Result<std::unique_ptr<SealedWriter>> SealedWriter::make(const std::string& path,
                                                              const SubjectKey& key,
                                                              const std::string& label) {
    constexpr int kFlags = O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC;
    const auto fresh = path + ".new";
    const int descriptor = ::open(fresh.c_str(), kFlags, 0600);
    if (descriptor < 0) return system_error("create " + fresh, errno);
    std::unique_ptr<SealedWriter> writer(new SealedWriter(path, descriptor, key, label));
    CDP_CHECK(write_all(descriptor, writer->sealed_));
    return writer;
}

SealedWriter::~SealedWriter() {
    if (!finished_) ::unlink((path_ + ".new").c_str());
}

cdp::Result<void> SealedWriter::push(std::string_view piece, bool last) {
    sealed_.resize(piece.size() + kExtraBytes);
    const auto tag = last ? crypto_secretstream_xchacha20poly1305_TAG_FINAL
                          : crypto_secretstream_xchacha20poly1305_TAG_MESSAGE;
    crypto_secretstream_xchacha20poly1305_push(&stream_->state, bytes_of(sealed_), nullptr,
                                               bytes_of(piece), piece.size(), bytes_of(label_),
                                               label_.size(), static_cast<unsigned char>(tag));
    return write_all(file_.number(), sealed_);
}

cdp::Result<void> SealedWriter::write(std::string_view bytes) {
    while (!bytes.empty()) {
        if (waiting_.size() == kPieceBytes) {
            CDP_CHECK(push(waiting_, /*last=*/false));
            waiting_.clear();
        }
        const auto part = bytes.substr(0, kPieceBytes - waiting_.size());
        waiting_.append(part);
        bytes.remove_prefix(part.size());
    }
    return cdp::Result<void>::ok();
}

cdp::Result<void> SealedWriter::finish() {
    CDP_CHECK(push(waiting_, /*last=*/true));
    const auto fresh = path_ + ".new";
    if (::fsync(file_.number()) != 0) return system_error("fsync " + fresh, errno);
    if (::rename(fresh.c_str(), path_.c_str()) != 0) return system_error("rename " + fresh, errno);
    finished_ = true;
    return cdp::Result<void>::ok();
}

SealedReader::SealedReader(std::string path, int descriptor, std::string label)
    : path_(std::move(path)),
      file_(descriptor),
      label_(std::move(label)),
      stream_(std::make_unique<Stream>()) {}

SealedReader::~SealedReader() {
    sodium_memzero(plain_.data(), plain_.size());
}

cdp::Result<std::unique_ptr<SealedReader>> SealedReader::open(const std::string& path,
                                                              const SubjectKey& key,
                                                              const std::string& label) {
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (descriptor < 0 && (errno == ENOENT || errno == ELOOP))
        return backup_damaged(path + " is missing");
    if (descriptor < 0) return system_error("open " + path, errno);
    std::unique_ptr<SealedReader> reader(new SealedReader(path, descriptor, label));
    auto& head = reader->sealed_;
    head.resize(kMagic.size() + kHeaderBytes);
    const auto n = CDP_TRY(read_up_to(descriptor, head, path));
    if (n != head.size() || !head.starts_with(kMagic)) return backup_damaged(path);
    if (crypto_secretstream_xchacha20poly1305_init_pull(
            &reader->stream_->state, bytes_of(head) + kMagic.size(), key.bytes().data()) != 0)
        return backup_damaged(path);
    return reader;
}

cdp::Result<std::string_view> SealedReader::next() {
    if (done_) return std::string_view{};
    sealed_.resize(kPieceBytes + kExtraBytes);
    const auto n = CDP_TRY(read_up_to(file_.number(), sealed_, path_));
    if (n < kExtraBytes) return backup_damaged(path_ + " is cut");
    plain_.resize(kPieceBytes);
    unsigned char tag = 0;
    if (crypto_secretstream_xchacha20poly1305_pull(&stream_->state, bytes_of(plain_), nullptr, &tag,
                                                   bytes_of(sealed_), n, bytes_of(label_),
                                                   label_.size()) != 0)
        return backup_damaged(path_);
    done_ = tag == crypto_secretstream_xchacha20poly1305_TAG_FINAL;
    if (!done_ && n != kPieceBytes + kExtraBytes) return backup_damaged(path_ + " is cut");
    if (done_) {
        std::string more(1, '\0');
        if (CDP_TRY(read_up_to(file_.number(), more, path_)) > 0)
            return backup_damaged(path_ + " goes on behind its end");
    }
    return std::string_view(plain_).substr(0, n - kExtraBytes);
}

cdp::Result<void> write_sealed(const std::string& path, const SubjectKey& key,
                               const std::string& label, std::string_view plain) {
    const auto writer = CDP_TRY(SealedWriter::make(path, key, label));
    CDP_CHECK(writer->write(plain));
    CDP_CHECK(writer->finish());
    return sync_folder(folder_of(path));
}

cdp::Result<std::string> read_sealed(const std::string& path, const SubjectKey& key,
                                     const std::string& label) {
    const auto reader = CDP_TRY(SealedReader::open(path, key, label));
    std::string plain;
    for (;;) {
        const auto piece = CDP_TRY(reader->next());
        if (piece.empty()) return plain;
        plain.append(piece);
    }
}

}  // namespace storage
