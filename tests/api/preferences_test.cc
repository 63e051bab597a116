#include "api/form.h"
#include "api/preference_page.h"
#include "tests/api/world.h"

using tests::Reply;
using tests::World;

namespace {

constexpr auto kUrlEncoded = "Content-Type: application/x-www-form-urlencoded\r\n";

struct Centre : World {
    const std::string& channel = keys.at(cdp::Role::channel);
    const std::string& officer = keys.at(cdp::Role::officer);

    // The path of a link for an address.
    std::string link(const std::string& key, const std::string& purpose = "email_marketing",
                     const std::string& address = "reader@shop.example") const {
        const auto made = post("/v1/preferences/links", key,
                               R"({"identifier":{"type":"email","value":")" + address +
                                   R"("},"purpose":")" + purpose + "\"}");
        REQUIRE(made.status == 200);
        const auto url = made.json()["url"].get<std::string>();
        return url.substr(std::string("http://cdp.example").size());
    }
    void say(const std::string& state) const {
        pass();
        REQUIRE(post("/v1/consents", till,
                     R"({"identifiers":[{"type":"email","value":"reader@shop.example"}],)"
                     R"("purpose":"email_marketing","state":")" +
                         state + "\"}")
                    .status == 200);
    }
    // Of two answers of one millisecond the refusal holds.
    void pass() const {
        for (const auto now = clock.now(); clock.now() <= now;) {
        }
    }
    Reply send(const std::string& path, const std::string& body) const {
        pass();
        return ask("POST", path, kUrlEncoded, body);
    }
    // What the e-mail tool gets of the address.
    bool released() const {
        const auto read =
            get("/v1/profiles/email:reader%40shop.example?purpose=email_marketing", channel);
        REQUIRE(read.status == 200);
        return read.json()["traits"].contains("email");
    }
    Centre() {
        receive(R"({"type":"identify","messageId":"m1","userId":"u1",)"
                R"("traits":{"email":"reader@shop.example"}})");
    }
};

std::string form_in(const std::string& page) {
    const std::string before = "name=\"form\" value=\"";
    const auto at = page.find(before);
    REQUIRE(at != page.npos);
    const auto start = at + before.size();
    return page.substr(start, page.find('"', start) - start);
}

bool has(const std::string& page, std::string_view text) {
    return page.find(text) != page.npos;
}

}  // namespace

TEST_CASE("a link shows and changes what was said under its address for its purpose") {
    const Centre centre;
    const auto path = centre.link(centre.till);
    CHECK_FALSE(has(path, "reader"));

    const auto first = centre.ask("GET", path);
    CHECK(first.status == 200);
    CHECK(first.header("content-type") == "text/html; charset=utf-8");
    CHECK(first.header("cache-control") == "no-store");
    CHECK(first.header("referrer-policy") == "no-referrer");
    CHECK(has(first.header("content-security-policy"), "frame-ancestors 'none'"));
    CHECK(has(first.body, "not answered yet"));
    CHECK(has(first.body, "r…@shop.example"));
    CHECK_FALSE(has(first.body, "reader@"));

    const auto saved = centre.send(path, "choice=yes&form=" + form_in(first.body));
    CHECK(saved.status == 200);
    CHECK(has(saved.body, "saved and in force"));
    CHECK(has(saved.body, "this use is allowed"));
    CHECK(centre.released());

    const auto refused = centre.send(path, "choice=no&form=" + form_in(saved.body));
    CHECK(has(refused.body, "this use is refused"));
    CHECK_FALSE(centre.released());
}

TEST_CASE("a grant by link takes back a denial made under the same address") {
    const Centre centre;
    centre.say("granted");
    centre.say("withdrawn");
    CHECK_FALSE(centre.released());
    const auto path = centre.link(centre.channel);
    const auto page = centre.ask("GET", path);
    CHECK(has(page.body, "this use is refused"));
    centre.send(path, "choice=yes&form=" + form_in(page.body));
    CHECK(centre.released());
}

TEST_CASE("a mail program unsubscribes with one click, as often as it likes") {
    const Centre centre;
    centre.say("granted");
    const auto path = centre.link(centre.till);
    const auto records = [&] { return centre.platform->counters().consent_records.load(); };
    CHECK(centre.send(path, "List-Unsubscribe=One-Click").status == 200);
    CHECK_FALSE(centre.released());
    const auto before = records();
    CHECK(centre.send(path, "List-Unsubscribe=One-Click").status == 200);
    CHECK(records() == before);

    centre.say("granted");
    CHECK(centre.released());
    const auto multipart =
        centre.ask("POST", path, "Content-Type: multipart/form-data; boundary=xyz\r\n",
                   "--xyz\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\n"
                   "One-Click\r\n--xyz--\r\n");
    CHECK(multipart.status == 200);
    CHECK_FALSE(centre.released());
}

TEST_CASE("a form that is sent again changes nothing") {
    const Centre centre;
    const auto path = centre.link(centre.till);
    const auto form = form_in(centre.ask("GET", path).body);
    REQUIRE(centre.send(path, "choice=yes&form=" + form).status == 200);
    REQUIRE(centre.send(path, "List-Unsubscribe=One-Click").status == 200);

    CHECK(centre.send(path, "choice=yes&form=" + form).status == 200);
    CHECK_FALSE(centre.released());
    const auto other = centre.send(path, "choice=no&form=" + form);
    CHECK(has(other.body, "sent before"));
    CHECK_FALSE(centre.released());
}

TEST_CASE("what was not given out here opens nothing") {
    const Centre centre;
    const auto path = centre.link(centre.till);
    auto forged = path;
    forged.back() = forged.back() == '0' ? '1' : '0';
    for (const auto& wrong :
         {forged, path.substr(0, path.size() - 2), std::string("/preferences/abc"), path + "00"}) {
        CHECK(centre.ask("GET", wrong).status == 404);
        CHECK(centre.send(wrong, "List-Unsubscribe=One-Click").status == 404);
    }
    // A form of another link, none, and none of the two answers.
    const auto other = form_in(
        centre.ask("GET", centre.link(centre.till, "email_marketing", "x@shop.example")).body);
    CHECK(centre.send(path, "choice=yes&form=" + other).refusal() == "400 form_invalid /form");
    CHECK(centre.send(path, "choice=yes").refusal() == "400 form_invalid /form");
    CHECK(centre.send(path, "choice=perhaps").refusal() == "400 choice_invalid /choice");
    CHECK(centre.ask("POST", path, {}, "choice=yes").refusal() == "400 choice_invalid /choice");
    CHECK(centre.ask("POST", path, kUrlEncoded, std::string(64 * 1024, 'x')).status == 413);
}

TEST_CASE("links are made for those who may address people, for what they may") {
    const Centre centre;
    const auto ask = [&](const std::string& key, const std::string& body) {
        return centre.post("/v1/preferences/links", key, body).refusal();
    };
    const std::string good =
        R"({"identifier":{"type":"email","value":"a@shop.example"},"purpose":"email_marketing"})";
    CHECK(ask(centre.keys.at(cdp::Role::source), good) == "403 server_source_required");
    CHECK(ask(centre.keys.at(cdp::Role::steward), good).starts_with("403"));
    CHECK(ask(centre.channel,
              R"({"identifier":{"type":"email","value":"a@shop.example"},)"
              R"("purpose":"advertising"})") == "403 purpose_not_registered /purpose");
    CHECK(ask(centre.till, R"({"identifier":{"type":"email","value":"a@shop.example"},)"
                           R"("purpose":"tea"})") == "400 purpose_unknown /purpose");
    CHECK(ask(centre.till,
              R"({"identifier":{"type":"email","value":"none"},)"
              R"("purpose":"advertising"})") == "400 malformed_identifier /identifier/value");
    CHECK(ask(centre.till, R"({"purpose":"advertising"})") == "400 identifier_missing /identifier");
}

TEST_CASE("a page speaks the reader's language") {
    const Centre centre;
    const auto path = centre.link(centre.till);
    const auto korean = centre.ask("GET", path, "Accept-Language: ko-KR,ko;q=0.9,en;q=0.8\r\n");
    CHECK(korean.header("content-language") == "ko");
    CHECK(has(korean.body, "<html lang=\"ko\">"));
    CHECK(has(korean.body, "동의합니다"));
    CHECK(centre.ask("GET", path + "?lang=en", "Accept-Language: ko\r\n")
              .header("content-language") == "en");

    CHECK(api::language_for("", "en;q=0.5, ko;q=0.7") == api::Language::korean);
    CHECK(api::language_for("", "ko;q=0, en") == api::Language::english);
    CHECK(api::language_for("", "de, fr;q=0.9") == api::Language::english);
    CHECK(api::language_for("", "kok") == api::Language::english);
    CHECK(api::language_for("", "ko;q=nonsense") == api::Language::english);
}

TEST_CASE("a title cannot write into the page") {
    const cdp::Choice choice{.type = "email", .value = "a@b.example", .purpose = "p"};
    const auto page = api::preference_page(choice, {"<b>&\"", "<script>"}, api::Language::english,
                                           api::PageNews::none);
    CHECK_FALSE(has(page, "<script>"));
    CHECK(has(page, "&lt;b&gt;&amp;&quot;"));
}

TEST_CASE("an identifier is shown as its owner knows it, not as others could use it") {
    CHECK(api::masked("email", "reader@shop.example") == "r…@shop.example");
    CHECK(api::masked("email", "é@shop.example") == "é…@shop.example");
    CHECK(api::masked("phone", "+821012345678") == "…78");
    CHECK(api::masked("loyalty_id", "L-1") == "…");
}

TEST_CASE("a form's field is found in either encoding, and nothing is found in half a form") {
    using api::form_value;
    CHECK(form_value("application/x-www-form-urlencoded; charset=utf-8", "a=1&b=2%203", "b") ==
          "2 3");
    CHECK_FALSE(form_value("text/plain", "a=1", "a"));
    const std::string type = "multipart/form-data; boundary=\"b\"";
    const std::string whole =
        "--b\r\nContent-Disposition: form-data; name=\"x\"\r\n\r\none\r\n"
        "--b\r\ncontent-disposition: form-data; name=\"y\"\r\n\r\n\r\n--b--";
    CHECK(form_value(type, whole, "x") == "one");
    CHECK(form_value(type, whole, "y") == "");
    CHECK_FALSE(form_value(type, whole, "z"));
    // Half a form may lose fields, never gain or change one.
    for (std::size_t size = 0; size < whole.size(); ++size)
        for (const auto* name : {"x", "y"}) {
            const auto found = form_value(type, std::string_view(whole).substr(0, size), name);
            CHECK((!found || *found == (*name == 'x' ? "one" : "")));
        }
}
