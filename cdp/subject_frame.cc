#include <array>

#include "cdp/base/bytes.h"
#include "cdp/retention.h"
#include "cdp/subject_walk.h"

// What stands around the data: whose report it is, rights, purposes, how long.
namespace cdp {
namespace {

using consent::JsonWriter;

constexpr int kFormat = 1;

struct Right {
    std::string_view right;
    std::string_view law;
    std::string_view says;
};
constexpr std::array kRights{
    Right{"access", "GDPR Art. 15", "To be told what is held about you. This report does that."},
    Right{"rectification", "GDPR Art. 16", "To have what is wrong put right."},
    Right{"erasure", "GDPR Art. 17", "To have your data erased."},
    Right{"restriction", "GDPR Art. 18", "To have your data kept and not used."},
    Right{"portability", "GDPR Art. 20",
          "To be given what you provided in a form that machines read, and to take it elsewhere."},
    Right{"objection", "GDPR Art. 21",
          "To object to the use of your data; to direct marketing at any time and without a "
          "reason."},
    Right{"withdrawal", "GDPR Art. 7(3)",
          "To take back what you agreed to. What was done before stays lawful."},
    Right{"complaint", "GDPR Art. 77",
          "To complain to a data protection authority, where you live, work or think that "
          "something is wrong."},
};

void put_controller(JsonWriter& out, const consent::Controller& who) {
    out.text_if("name", who.name).text_if("contact", who.contact).text_if("address", who.address);
    out.text_if("country", who.country).text_if("email", who.email).text_if("phone", who.phone);
    out.text_if("url", who.url).text_if("privacy_policy", who.policy_url);
    out.text_if("service", who.service).text_if("where_data_are_kept", who.storage);
    out.text_if("how_to_withdraw", who.withdrawal);
}

}  // namespace

void SubjectWalk::tell_frame(ReportForm& form, const std::string& about) const {
    JsonWriter out;
    out.open().number("format", kFormat).text("made", format_time(now_));
    form.object("report");
    form.entry(out.take() + about + "}");

    JsonWriter controller;
    controller.open();
    put_controller(controller, needs_.config.controller);
    form.object("controller");
    form.entry(controller.close().take());

    form.list("rights");
    for (const auto& [right, law, says] : kRights)
        form.entry(JsonWriter()
                       .open()
                       .text("right", right)
                       .text("law", law)
                       .text("says", says)
                       .close()
                       .take());
}

void SubjectWalk::tell_logic(ReportForm& form) const {
    JsonWriter logic;
    logic.open();
    logic.text("who_is_who",
               "Identifiers that were seen together are held to be one person's, the surer ones "
               "first. Which were, when and by which app is listed under links. One that several "
               "people use joins nobody.");
    logic.text("who_may_have_what",
               "Each recipient is given a field only when the purpose, the recipient's "
               "registration and your answers allow it at that moment. What holds now is listed "
               "with each field and under decisions.");
    form.object("logic");
    form.entry(logic.close().take());
}

void SubjectWalk::tell_purposes(ReportForm& form) const {
    form.list("purposes");
    for (const auto& purpose : needs_.config.policy.purposes) {
        JsonWriter out;
        out.open().text("purpose", purpose.name);
        out.text("rests_on", consent::to_string(purpose.regime));
        out.text("messages", consent::to_string(purpose.sends()));
        out.open_list("channels");
        for (const auto& channel : needs_.config.policy.channels)
            for (const auto& registered : channel.purposes)
                if (consent::covers(registered, purpose.name)) {
                    out.text({}, channel.id);
                    break;
                }
        form.entry(out.close_list().close().take());
    }
}

void SubjectWalk::tell_retention(ReportForm& form) const {
    const auto& said = needs_.config.controller.retention;
    const auto& rules = needs_.config.retention;
    form.list("retention");
    for (const auto& rule : rules) {
        JsonWriter out;
        out.open().text("what", std::string(to_string(rule.what)) + " " + rule.name);
        out.text("kept", to_string(rule.keep)).text_if("purpose", rule.purpose);
        form.entry(out.close().take());
    }
    JsonWriter out;
    out.open().text("what", rules.empty() ? "everything" : "everything else");
    out.text("kept", said.empty() ? "Until it is erased." : said);
    form.entry(out.close().take());
}

void SubjectWalk::tell_left_out(ReportForm& form) const {
    struct LeftOut {
        std::string_view what;
        std::string_view why;
    };
    constexpr std::array kAlways{
        LeftOut{"Notes of members of staff", "They may name others; ask who is responsible."},
        LeftOut{"Names of members of staff",
                "Their task is told instead; they are people too, and acted for who is "
                "responsible."},
        LeftOut{"What was held to belong together earlier",
                "What is held now, and why, is told under links; ask who is responsible."},
        LeftOut{"Splits that wait to be checked by a member of staff",
                "They may concern others; as long as they wait, refusals count for both."},
        LeftOut{"Which recipients have confirmed that you took something back",
                "That you did is told under what you agreed to and refused."}};
    form.list("left_out");
    const auto put = [&](const LeftOut& one) {
        form.entry(JsonWriter().open().text("what", one.what).text("why", one.why).close().take());
    };
    for (const auto& one : kAlways) put(one);
    if (!scope_.others)
        put({"Addresses and numbers of others in what was received of you",
             "They are somebody else's data; how many were left out is told under withheld."});
    if (joined_)
        put({"What joined your identifiers since you asked, and what may be done at present",
             "It may be somebody else's; ask again."});
}

ReportCounts SubjectWalk::counts() const {
    auto out = counts_by_name(counts_);
    std::erase_if(out, [](const auto& one) { return one.second == 0; });
    return out;
}

void SubjectWalk::tell_end(ReportForm& form) const {
    form.list("sources");
    for (const auto& [source, counted] : by_source_)
        form.entry(JsonWriter()
                       .open()
                       .text("source", source)
                       .number("events", static_cast<std::int64_t>(counted.events))
                       .text("first", format_time(counted.first))
                       .text("last", format_time(counted.last))
                       .close()
                       .take());
    form.list("unreadable");
    for (const auto& [what, count] : unreadable_)
        form.entry(JsonWriter()
                       .open()
                       .text("what", what)
                       .number("count", static_cast<std::int64_t>(count))
                       .close()
                       .take());
    form.object("withheld");
    form.entry(JsonWriter()
                   .open()
                   .number("of_others", static_cast<std::int64_t>(others_.withheld()))
                   .close()
                   .take());
    form.object("counts");
    JsonWriter counts;
    counts.open();
    put_counts(counts, counts_);
    form.entry(counts.close().take());
}

}  // namespace cdp
