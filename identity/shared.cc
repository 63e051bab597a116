#include "identity/shared.h"

#include "identity/fold.h"

namespace identity {

void Neighbours::add(LinkClass type_class) {
    ++all;
    if (type_class == LinkClass::account) ++accounts;
    if (is_contact(type_class)) ++contacts;
    if (type_class == LinkClass::cookie) ++cookies;
}

bool Neighbours::make_shared(const IdentifierType& type) const {
    const auto over = [](std::uint32_t n, std::uint16_t most) { return most > 0 && n > most; };
    return (type.shared_at_accounts > 0 && accounts >= type.shared_at_accounts) ||
           over(contacts, type.contacts_max) || over(cookies, type.cookies_max) ||
           (!type.unique && all > kNeighboursMax);
}

bool can_be_shared(const IdentifierType& type) {
    return !type.unique || type.shared_at_accounts > 0 || type.contacts_max > 0 ||
           type.cookies_max > 0;
}

}  // namespace identity
