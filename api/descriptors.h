#pragma once

#include <cstddef>

// How many files and connections this process may have open; the system's RLIMIT_NOFILE.
namespace api {

// Asks the system for so many connections and what is needed beside them, as far as it grants that
// without an administrator. What there may be then, of all together.
std::size_t raise_descriptors(std::size_t connections);

// Pure. As many of the connections that are wanted as leave room for the store's files, of which it
// keeps storage::open_files_of(descriptors), and for the journal, threads and administration.
std::size_t connections_within(std::size_t descriptors, std::size_t wanted);

}  // namespace api
