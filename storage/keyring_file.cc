#include "storage/keyring_file.h"

namespace storage {

Keyring KeyringFile::keyring() const {
    const std::lock_guard lock(mutex_);
    return keyring_;
}

cdp::Result<void> KeyringFile::change(const std::function<void(Keyring&)>& edit) {
    const std::lock_guard lock(mutex_);
    auto changed = keyring_;
    edit(changed);
    if (auto written = replace_keyring(path_, changed); !written) {
        auto error = written.error();
        error.reason = "keyring_unwritten";
        error.message = "The keyring cannot be written; what it held stays in force.";
        return error;
    }
    keyring_ = changed;
    vault_.adopt(keyring_, store_);
    return cdp::Result<void>::ok();
}

}  // namespace storage
