#include "api/decision_request.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "api/json.h"
#include "api/json_members.h"
#include "api/parameters.h"

namespace api {
namespace {

using nlohmann::json;

cdp::Result<cdp::DecisionQuestion> read_question(const json& one, const std::string& at) {
    CDP_CHECK(check_members(one, at,
                            {"identifiers", "purpose", "channel", "fields", "labels", "as_of",
                             "captured", "message_class", "jurisdictions", "policy_version"}));
    cdp::DecisionQuestion out;
    const auto list = one.find("identifiers");
    const auto pointer = at + "/identifiers";
    if (list == one.end() || !list->is_array() || list->empty())
        return invalid("identifiers_missing", "1 to 64 identifiers are expected here.", pointer);
    for (std::size_t i = 0; i < list->size(); ++i) {
        const auto here = pointer + "/" + std::to_string(i);
        CDP_CHECK(check_members((*list)[i], here, {"type", "value"}));
        auto& named = out.identifiers.emplace_back();
        named.type = CDP_TRY(string_member((*list)[i], "type", here));
        named.value = CDP_TRY(string_member((*list)[i], "value", here));
        if (named.type.empty() || named.value.empty())
            return invalid("identifier_incomplete", "An identifier has a type and a value.", here);
    }
    const std::pair<const char*, std::string*> texts[] = {{"purpose", &out.purpose},
                                                          {"channel", &out.channel},
                                                          {"message_class", &out.message_class},
                                                          {"policy_version", &out.policy_version}};
    for (const auto& [name, text] : texts) *text = CDP_TRY(string_member(one, name, at));
    if (out.purpose.empty())
        return invalid("purpose_required", "A purpose is expected here.", at + "/purpose");
    out.fields = CDP_TRY(strings_member(one, "fields", at));
    out.labels = CDP_TRY(strings_member(one, "labels", at));
    out.jurisdictions = CDP_TRY(strings_member(one, "jurisdictions", at));
    out.as_of = CDP_TRY(time_member(one, "as_of", at));
    out.captured = CDP_TRY(time_member(one, "captured", at));
    return out;
}

}  // namespace

cdp::Result<PostedQuestions> read_questions(std::string_view body) {
    const auto document = CDP_TRY(parse_json(body));
    const bool several = document.is_object() && document.contains("questions");
    const auto& list = several ? document["questions"] : document;
    if (several) CDP_CHECK(check_members(document, "", {"questions"}));
    if (several && (!list.is_array() || list.empty() || list.size() > cdp::kQuestionsMax))
        return invalid("questions_missing", "1 to 500 questions are expected here.", "/questions");
    PostedQuestions out{.several = several};
    if (!several) {
        out.all.push_back(CDP_TRY(read_question(list, "")));
        return out;
    }
    for (std::size_t i = 0; i < list.size(); ++i)
        out.all.push_back(CDP_TRY(read_question(list[i], "/questions/" + std::to_string(i))));
    return out;
}

}  // namespace api
