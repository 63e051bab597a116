#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>

#include "cdp/base/clock.h"
#include "consent/ledger.h"
#include "storage/store.h"

namespace cdp {

// The thread that keeps the ledger published: looks twice a second whether anything was committed,
// which reads one number, and only then whether the ledger has grown. Everything it refers to must
// outlive it.
class LedgerPublisher {
public:
    LedgerPublisher(storage::Store& store, consent::Ledger& ledger, const Clock& clock)
        : store_(store), ledger_(ledger), clock_(clock) {}
    ~LedgerPublisher();
    LedgerPublisher(const LedgerPublisher&) = delete;
    LedgerPublisher& operator=(const LedgerPublisher&) = delete;

    // Publishes what waits, then goes on by itself. Once.
    void start();

private:
    void run();
    // Until nothing is new; false when the next look may go better.
    bool publish();

    storage::Store& store_;
    consent::Ledger& ledger_;
    const Clock& clock_;
    bool failing_ = false;  // told the log so

    std::mutex mutex_;
    std::condition_variable wake_;
    bool stopping_ = false;  // under mutex_
    std::thread thread_;
};

}  // namespace cdp
