#include "storage/lock_holder.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>

#include <catch2/catch.hpp>

#include "tests/storage/stores.h"

namespace {

using namespace tests;

constexpr auto kLocks =
    "1: FLOCK  ADVISORY  WRITE 11 08:01:77 0 EOF\n"
    "2: POSIX  ADVISORY  WRITE 22 08:01:76 0 EOF\n"
    "3: POSIX  ADVISORY  WRITE 33 08:01:77 0 EOF\n"
    "3: -> POSIX  ADVISORY  WRITE 44 08:01:77 0 EOF\n"
    "4: POSIX  ADVISORY  WRITE 0 00:2b:9 0 EOF\n";

// Another process that has a database open, until it goes.
class Other {
public:
    explicit Other(const Folder& folder) {
        std::array<int, 2> ready{};
        REQUIRE(::pipe(ready.data()) == 0);
        pid_ = ::fork();
        if (pid_ == 0) {
            const int lock = ::open((folder / "db/LOCK").c_str(), O_RDWR);
            struct flock whole{};
            whole.l_type = F_WRLCK;
            const bool locked = ::fcntl(lock, F_SETLK, &whole) == 0;
            if (::write(ready[1], locked ? "y" : "n", 1) == 1) ::pause();
            ::_exit(0);
        }
        char answer = 'n';
        const bool told = ::read(ready[0], &answer, 1) == 1;
        ::close(ready[0]);
        ::close(ready[1]);
        REQUIRE((told && answer == 'y'));
    }
    ~Other() {
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
    }
    Other(const Other&) = delete;
    Other& operator=(const Other&) = delete;

    int pid() const { return pid_; }

private:
    int pid_ = 0;
};

}  // namespace

TEST_CASE("who holds a lock is read off the kernel's list") {
    CHECK(storage::lock_holder_in(kLocks, "08:01:77") == 33);
    CHECK(storage::lock_holder_in(kLocks, "08:01:76") == 22);
    CHECK(storage::lock_holder_in(kLocks, "08:01:7") == std::nullopt);
    CHECK(storage::lock_holder_in(kLocks, "00:2b:9") == std::nullopt);  // of another namespace
    CHECK(storage::lock_holder_in("", "08:01:77") == std::nullopt);
    CHECK(storage::lock_holder_in("1: POSIX", "08:01:77") == std::nullopt);
}

TEST_CASE("who finds a folder taken is told by which process, and leaves it its lock") {
    const Folder folder;
    new_rocks(folder).reset();
    {
        const Other other(folder);
        for (int asked = 0; asked < 2; ++asked) {
            const auto refused = storage::open_rocks_store(rocks_options(folder));
            REQUIRE_FALSE(refused);
            CHECK(refused.error().reason == "dir_locked");
            CHECK(refused.error().message == "Another process, with the id " +
                                                 std::to_string(other.pid()) +
                                                 ", has this data folder open.");
        }
    }
    open_rocks(folder);
}
