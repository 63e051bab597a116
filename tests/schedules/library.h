#pragma once

#include <pthread.h>
#include <time.h>

#include <atomic>

// The C library as it is, behind what stands in its place here.
namespace tests::library {

// Futexes, for who hands turns over.
void wait_while_zero(std::atomic<int>& word);
void wake(std::atomic<int>& word);

}  // namespace tests::library
