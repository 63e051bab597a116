#include <algorithm>

#include "cdp/base/bytes.h"
#include "cdp/corrections.h"
#include "cdp/group_rows.h"
#include "cdp/json_scan.h"
#include "cdp/received_event.h"
#include "cdp/retention.h"
#include "cdp/subject_walk.h"
#include "storage/key.h"

// What is known of the person and what they did.
namespace cdp {

using consent::JsonWriter;
using storage::Space;

Result<std::string> SubjectWalk::shown(std::string_view json, std::string_view source) {
    if (scope_.others) return json::minify(json);
    return others_.without(json::minify(json), source);
}

// Of each name that which is in use, and those that it stands before.
Result<void> SubjectWalk::tell_traits(ReportForm& form) {
    form.list("traits");
    return each_held_trait(
        [&](const PersonMember& member, const StoredTrait& trait) -> Result<void> {
            ++counts_.traits;
            const auto held = traits_.find(trait.name);
            const bool in_use = held != traits_.end() && held->second.home == member.token;
            JsonWriter out;
            out.open().text("name", trait.name);
            out.json("value", CDP_TRY(shown(trait.json, trait.source)));
            out.text("time", format_time(trait.time)).text("source", trait.source);
            out.json("identifier", "{" + CDP_TRY(name_of(member.token)) + "}");
            out.texts("labels", needs_.config.policy.labels_of_trait(trait.name));
            const auto purposes = needs_.config.policy.purposes_of_trait(trait.name);
            if (!purposes.empty()) out.texts("collected_for", purposes);
            out.flag("in_use", in_use);
            if (const auto end = trait_expiry(needs_.config, trait.name, trait.time))
                out.text("expires", format_time(end->at));
            if (in_use)
                put_channels(out, [&](Asked& asked) {
                    return pass_trait(needs_.config, asked.gate, asked.forms, held->second);
                });
            form.entry(out.close().take());
            return Result<void>::ok();
        });
}

Result<void> SubjectWalk::tell_corrections(ReportForm& form) {
    form.list("corrections");
    for (const Token& token : own_tokens_) {
        const auto key = CDP_TRY(needs_.vault.find(snapshot_, token));
        if (!key) continue;
        const Row tell = [&](std::string_view row, std::string_view sealed) -> Result<void> {
            const auto corrected = CDP_TRY(open_corrected(*key, row, sealed));
            JsonWriter out;
            out.open().text("name", corrected.name);
            out.json("identifier", "{" + CDP_TRY(name_of(token)) + "}");
            const auto& right = corrected.right;
            const auto end =
                right ? trait_expiry(needs_.config, corrected.name, right->time) : std::nullopt;
            if (right && !is_past(end, now_)) {
                out.json("value", CDP_TRY(shown(right->json, right->source)));
                out.text("time", format_time(right->time));
                if (end) out.text("expires", format_time(end->at));
            }
            out.open_list("rectifications");
            for (const auto& request : corrected.requests) out.text({}, to_hex(request.view()));
            form.entry(out.close_list().close().take());
            return Result<void>::ok();
        };
        CDP_CHECK(each(Space::corrected, token, tell));
    }
    return Result<void>::ok();
}

Result<void> SubjectWalk::tell_groups(ReportForm& form) {
    form.list("groups");
    for (const Token& token : own_tokens_) {
        const Row tell = [&](std::string_view key, std::string_view value) -> Result<void> {
            const auto group = storage::KeyReader(key).id<GroupId>();
            const auto days = decode_days(value);
            if (!days) return damaged("a membership that cannot be read");
            ++counts_.groups;
            JsonWriter out;
            out.open().text("group", CDP_TRY(needs_.groups.name_of(snapshot_, group)));
            out.json("identifier", "{" + CDP_TRY(name_of(token)) + "}");
            out.text("first", format_day(days->first)).text("last", format_day(days->last));
            form.entry(out.close().take());
            return Result<void>::ok();
        };
        CDP_CHECK(each(Space::group_of, token, tell));
    }
    return Result<void>::ok();
}

Result<void> SubjectWalk::tell_events(ReportForm& form) {
    form.list("events");
    return each_event([&](const PersonEvent& one) -> Result<bool> {
        const auto& event = one.event;
        ++counts_.events;
        auto& source = by_source_[event.source];
        ++source.events;
        source.first = std::min(source.first, one.place.time);
        source.last = std::max(source.last, one.place.time);
        JsonWriter out;
        out.open().text("time", format_time(one.place.time));
        out.text("received", format_time(event.received)).text("source", event.source);
        out.json("identifier", "{" + CDP_TRY(name_of(one.home)) + "}");
        // Told to be the person's by what was seen near it in time.
        if (one.through) out.json("yours_by", "{" + CDP_TRY(name_of(*one.through)) + "}");
        if (event.gpc) out.flag("global_privacy_control", true);
        if (const auto end = event_expiry(needs_.config, event.type, event.name, one.place.time))
            out.text("expires", format_time(end->at));
        out.json("event", CDP_TRY(shown("{" + received_members(event) + "}", event.source)));
        form.entry(out.close().take());
        return !form.stopped();
    });
}

}  // namespace cdp
