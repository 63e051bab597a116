#include "api/config_types.h"

#include <array>
#include <initializer_list>

#include "cdp/config.h"
#include "identity/hashed.h"

namespace api {
namespace {

using identity::IdentifierType;
using identity::IdentifierTypes;

constexpr std::array<std::pair<std::string_view, identity::Form>, 5> kForms{{
    {"opaque", identity::Form::opaque},
    {"email", identity::Form::email},
    {"phone", identity::Form::phone},
    {"device", identity::Form::device},
    {"sha256", identity::Form::sha256},
}};

constexpr std::string_view kHashed = "_sha256";

// That of assertions is no identifier's.
std::optional<identity::LinkClass> parse_class(std::string_view name) {
    for (int i = static_cast<int>(identity::LinkClass::account);
         i <= static_cast<int>(identity::LinkClass::probabilistic); ++i)
        if (to_string(static_cast<identity::LinkClass>(i)) == name)
            return static_cast<identity::LinkClass>(i);
    return std::nullopt;
}

std::optional<identity::Form> parse_form(std::string_view name) {
    for (const auto& [known, form] : kForms)
        if (known == name) return form;
    return std::nullopt;
}

void read_limit(ConfigTable& table, std::string_view key, std::uint16_t& out) {
    std::int64_t n = out;
    table.read(key, 0, 65535, n);
    out = static_cast<std::uint16_t>(n);
}

// What was not written keeps the value it had, so at least one of the keys was.
void check_type(ConfigTable& table, const IdentifierType& type) {
    const auto refuse = [&](std::initializer_list<std::string_view> keys, const char* message) {
        for (const auto key : keys)
            if (table.has(key)) return table.blame(key, message);
    };
    if (type.shared_at_accounts == 1)
        refuse({"shared_at_accounts"}, "Whatever one account is seen with would be shared.");
    if (type.unique && type.shared_at_accounts > 0)
        refuse({"shared_at_accounts", "unique"},
               "What is unique cannot be several people's: shared_at_accounts must be 0.");
    if (type.unique && type.limit > 1)
        refuse({"limit", "unique"}, "What is unique has a limit of one.");
    if (type.unique && type.limit_window_days > 0)
        refuse({"limit_window_days", "unique"}, "What is unique is so at all times.");
    if (type.limit == 0 && type.limit_window_days > 0)
        refuse({"limit_window_days", "limit"}, "A window needs a limit.");
}

void read_type(ConfigTable& table, const IdentifierTypes& known, IdentifierType& type) {
    read_word(table, "class", parse_class, "There is no such class.", type.link_class);
    read_word(table, "form", parse_form, "There is no such form.", type.form);
    table.read("unique", type.unique);
    // A new type that is unique does not start with what unknown ones are shared at.
    if (type.unique && !known.all().contains(type.name)) type.shared_at_accounts = 0;
    read_limit(table, "shared_at_accounts", type.shared_at_accounts);
    read_limit(table, "contacts_max", type.contacts_max);
    read_limit(table, "cookies_max", type.cookies_max);
    read_limit(table, "limit", type.limit);
    read_limit(table, "limit_window_days", type.limit_window_days);
    table.read("blocked", type.blocked);
    check_type(table, type);
    table.finish();
}

// Types that are hashes of another type: both must be such that they meet.
void check_hashes(ConfigTable& all, const IdentifierTypes& types) {
    const auto refuse = [&](const std::string& name, const std::string& message) {
        const auto* written = all.table(name);
        if (!written) return;
        if (const auto* form = written->get("form"))
            all.blame(*form, all.path_of(name) + ".form", message);
        else
            all.blame(name, message);
    };
    for (const auto& [name, type] : types.all()) {
        if (const auto hashed = identity::hashed_type_of(name)) {
            if (types.known(*hashed).form != identity::Form::sha256)
                refuse(std::string(*hashed), "Hashes of '" + name + "' have the form sha256.");
            if (type.form != identity::Form::email && type.form != identity::Form::phone)
                refuse(name, "Only of the forms email and phone can hashes be recognised.");
        }
        if (type.form != identity::Form::sha256 || !name.ends_with(kHashed)) continue;
        const auto plain = name.substr(0, name.size() - kHashed.size());
        if (!types.all().contains(plain))
            refuse(name, "Type '" + plain + "', whose hashes these are, is not configured.");
    }
}

}  // namespace

void read_identifier_types(ConfigTable& document, IdentifierTypes& types) {
    const auto* found = document.table("identifier_types");
    if (!found) return;
    ConfigTable all(*found, "identifier_types", document.fault());
    for (const auto& name : all.keys()) {
        const auto* one = all.table(name);
        if (!one) return;
        if (!identity::is_type_name(name) || name == cdp::kPersonType)
            return all.blame(name, "The name of the type is malformed.");
        ConfigTable table(*one, all.path_of(name), document.fault());
        auto type = types.find(name);
        read_type(table, types, type);
        types.set(std::move(type));
    }
    check_hashes(all, types);
}

}  // namespace api
