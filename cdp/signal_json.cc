#include "cdp/signal_json.h"

#include <algorithm>

#include "cdp/base/time.h"
#include "consent/gpp.h"
#include "consent/json_writer.h"
#include "consent/signal_effect.h"
#include "consent/signal_fault.h"
#include "consent/tcf.h"
#include "consent/usp.h"

namespace cdp {
namespace {

using consent::JsonWriter;
using consent::SignalFault;
using consent::SignalType;
using consent::UsField;

std::string_view letters(const std::array<char, 2>& two) {
    return {two.data(), two.size()};
}

void numbers(JsonWriter& out, std::string_view name, const consent::NumberSet& set) {
    out.open_list(name);
    for (unsigned n = 1; n <= set.size; ++n)
        if (set.has(n)) out.number({}, n);
    out.close_list();
}

// Canada's says express and implied where Europe's says consent and legitimate interest.
void put_tcf(JsonWriter& out, const consent::Tcf& tcf) {
    out.number("version", tcf.version).number("cmp_id", tcf.cmp_id);
    out.number("cmp_version", tcf.cmp_version);
    out.text("created", format_time(tcf.created)).text("updated", format_time(tcf.updated));
    out.text("language", letters(tcf.language));
    out.number("vendor_list_version", tcf.vendor_list_version);
    out.number("policy_version", tcf.policy_version);
    out.flag("service_specific", tcf.service_specific);
    numbers(out, "purposes_consented", tcf.purpose_consents);
    numbers(out, "purposes_legitimate_interest", tcf.purpose_legitimate_interests);
    numbers(out, "special_features", tcf.special_features);
    out.number("vendors_consented", tcf.vendor_consents.count());
    out.number("vendors_legitimate_interest", tcf.vendor_legitimate_interests.count());
    if (tcf.disclosed_vendors) out.number("vendors_disclosed", tcf.disclosed_vendors->count());
    out.number("publisher_restrictions", tcf.restrictions.size());
}

std::string_view opt_out_word(std::uint8_t answer) {
    switch (answer) {
        case 0: return "not_applicable";
        case 1: return "opted_out";
        case 2: return "did_not_opt_out";
        default: return "invalid";
    }
}

void put_us(JsonWriter& out, const consent::UsSection& us) {
    const auto field = [&](std::string_view name, UsField which) {
        const auto is = [&](const consent::UsItem& item) {
            return item.count > 0 && item.field == which;
        };
        if (std::ranges::any_of(us.layout->items, is)) out.text(name, opt_out_word(us[which]));
    };
    out.number("version", us.version);
    field("sale_opt_out", UsField::sale_opt_out);
    field("sharing_opt_out", UsField::sharing_opt_out);
    field("targeted_advertising_opt_out", UsField::targeted_advertising_opt_out);
    out.open_list("sensitive_data");
    for (std::size_t i = 0; i < us.sensitive_count; ++i) out.number({}, us.sensitive[i]);
    out.close_list().open_list("known_child");
    for (std::size_t i = 0; i < us.children_count; ++i) out.number({}, us.children[i]);
    out.close_list();
    if (us.gpc) out.flag("gpc", *us.gpc);
}

void put_usp(JsonWriter& out, const consent::Usp& usp) {
    const auto letter = [](const char& one) { return std::string_view(&one, 1); };
    out.text("notice", letter(usp.notice)).text("opt_out_sale", letter(usp.opt_out_sale));
    out.text("lspa_covered", letter(usp.lspa_covered));
}

void put_section(JsonWriter& out, const consent::Gpp& gpp, const consent::GppSection& section) {
    out.number("id", section.id);
    if (section.fault != SignalFault::none) {
        out.text("fault", consent::fault_name(section.fault));
        return;
    }
    const auto us = std::ranges::find_if(
        gpp.us(), [&](const auto& one) { return one.layout->section == section.id; });
    if (us != gpp.us().end()) {
        out.text("name", us->layout->name);
        put_us(out, *us);
    } else if (section.id == consent::gpp::kTcfEu && gpp.tcf_eu) {
        out.text("name", "tcfeuv2");
        put_tcf(out, *gpp.tcf_eu);
    } else if (section.id == consent::gpp::kTcfCanada && gpp.tcf_canada) {
        out.text("name", "tcfcav1");
        put_tcf(out, *gpp.tcf_canada);
    } else if (section.id == consent::gpp::kUsp && gpp.usp) {
        out.text("name", "uspv1");
        put_usp(out, *gpp.usp);
    }
}

SignalFault put_gpp(JsonWriter& out, std::string_view text) {
    consent::Gpp gpp;
    const auto fault = consent::read_gpp(text, gpp);
    if (fault != SignalFault::none) return fault;
    out.open_list("sections");
    for (const auto& section : gpp.sections()) {
        out.open();
        put_section(out, gpp, section);
        out.close();
    }
    out.close_list();
    return fault;
}

SignalFault put(JsonWriter& out, SignalType type, std::string_view text) {
    auto fault = SignalFault::none;
    switch (type) {
        case SignalType::tcf: {
            consent::Tcf tcf;
            fault = consent::read_tcf(text, tcf);
            if (fault == SignalFault::none) put_tcf(out, tcf);
            return fault;
        }
        case SignalType::usp: {
            consent::Usp usp;
            fault = consent::read_usp(text, usp);
            if (fault == SignalFault::none) put_usp(out, usp);
            return fault;
        }
        case SignalType::gpp: return put_gpp(out, text);
        case SignalType::gpc:
            out.flag("opted_out", !consent::effects_of_gpc(text).empty());
            return fault;
        case SignalType::att: out.text("status", text); return fault;
        case SignalType::gcm:
        case SignalType::cmp: return SignalFault::version_unknown;
    }
    return fault;
}

}  // namespace

std::string signal_json(SignalType type, std::string_view text) {
    JsonWriter out;
    out.open();
    const auto fault = put(out, type, text);
    if (fault != SignalFault::none) out.text("fault", consent::fault_name(fault));
    out.close();
    return out.take();
}

}  // namespace cdp
