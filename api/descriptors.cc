#include "api/descriptors.h"

#include <sys/resource.h>

#include <algorithm>

#include "storage/rocks_store.h"

namespace api {
namespace {

// For journals, backups, threads' own, the admin socket and recipients who are called.
constexpr std::size_t kOthersMax = 200;

std::size_t beside(std::size_t descriptors) {
    return storage::open_files_of(descriptors) + std::min(kOthersMax, descriptors / 4);
}

}  // namespace

std::size_t raise_descriptors(std::size_t connections) {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return connections;
    const rlim_t wanted = connections + storage::kOpenFilesMax + kOthersMax;
    if (limit.rlim_cur < wanted) {
        rlimit more = limit;
        more.rlim_cur = std::min(wanted, limit.rlim_max);
        if (::setrlimit(RLIMIT_NOFILE, &more) == 0) limit = more;
    }
    return static_cast<std::size_t>(std::min(limit.rlim_cur, wanted));
}

std::size_t connections_within(std::size_t descriptors, std::size_t wanted) {
    return std::min(wanted, std::max<std::size_t>(1, descriptors - beside(descriptors)));
}

}  // namespace api
