#pragma once

#include <sodium.h>

#include <array>
#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "cdp/agents.h"
#include "cdp/privacy.h"
#include "cdp/privacy_requests.h"
#include "consent/base64.h"
#include "tests/api/world.h"

// A shop where agents ask by the Data Rights Protocol; they sign with libsodium as it has it.
namespace tests {

inline const std::string kDataRights = "/v1/data-rights-request";

class SigningKey {
public:
    SigningKey() { crypto_sign_keypair(public_.data(), secret_.data()); }
    std::string verify_key() const {
        return consent::to_base64({reinterpret_cast<const char*>(public_.data()), public_.size()});
    }
    // Combined mode: the signature, then the message.
    std::string sign(const std::string& text) const {
        std::string out(crypto_sign_BYTES + text.size(), '\0');
        crypto_sign(reinterpret_cast<unsigned char*>(out.data()), nullptr,
                    reinterpret_cast<const unsigned char*>(text.data()), text.size(),
                    secret_.data());
        return consent::to_base64(out);
    }

private:
    std::array<unsigned char, crypto_sign_PUBLICKEYBYTES> public_{};
    std::array<unsigned char, crypto_sign_SECRETKEYBYTES> secret_{};
};

inline cdp::AgentTerms terms_of(const std::string& url, int minutes = 0) {
    return {.business_id = "SHOP",
            .verification_url = url,
            .revoke_window = std::chrono::minutes(minutes)};
}

// The path of a URL of ours.
inline std::string path_in(const nlohmann::json& document, const std::string& member,
                           const std::string& root) {
    const auto url = document.value(member, "");
    const auto at = url.find(root);
    REQUIRE(at != url.npos);
    return url.substr(at);
}

struct Network : World {
    explicit Network(cdp::AgentTerms terms = terms_of("https://shop.example/prove")) {
        platform->privacy().agents.let_in(std::move(terms));
        receive(R"({"type":"identify","userId":"u1","messageId":"m1","traits":)"
                R"({"email":"a@shop.example","plan":"gold"}})");
        enrol("HELPER", key);
        token = set_up("HELPER", key).json().value("token", "");
        REQUIRE(token.size() == 44);
    }

    void enrol(const std::string& id, const SigningKey& with,
               const std::vector<std::string>& hosts = {"helper.example"}) const {
        const nlohmann::json body{{"id", id},
                                  {"name", "Helps people"},
                                  {"verify_key", with.verify_key()},
                                  {"callback_hosts", hosts}};
        REQUIRE(post("/v1/privacy/agents", keys.at(cdp::Role::admin), body.dump()).status == 200);
    }
    std::string at(std::chrono::seconds from_now) const {
        return cdp::format_time(clock.now() + from_now);
    }
    nlohmann::json envelope(const std::string& agent = "HELPER") const {
        using std::chrono::seconds;
        return {{"agent-id", agent},
                {"business-id", "SHOP"},
                {"issued-at", at(seconds(-1))},
                {"expires-at", at(seconds(540))},
                {"drp.version", "1.0"}};
    }
    Reply set_up(const std::string& id, const SigningKey& with,
                 nlohmann::json body = nullptr) const {
        if (body.is_null()) body = envelope(id);
        return ask("POST", "/v1/agent/" + id, "Content-Type: text/plain\r\n",
                   with.sign(body.dump()));
    }
    nlohmann::json asking(const std::string& exercise) const {
        auto body = envelope();
        body.update({{"exercise", exercise},
                     {"regime", "ccpa"},
                     {"email", "a@shop.example"},
                     {"email_verified", true},
                     {"name", "A person"},
                     {"agent_request_id", "foo"}});
        return body;
    }
    Reply send(const std::string& signed_body, const std::string& with_token) const {
        return ask("POST", kDataRights, "Content-Type: text/plain\r\n" + bearer(with_token),
                   signed_body);
    }
    Reply send(const nlohmann::json& body) const { return send(key.sign(body.dump()), token); }
    Reply read(const nlohmann::json& status, const std::string& with_token) const {
        return get(kDataRights + "/" + status.at("request_id").get<std::string>(), with_token);
    }
    nlohmann::json now(const nlohmann::json& status) const { return read(status, token).json(); }
    Reply revoke(const nlohmann::json& status, const std::string& signed_body) const {
        return ask("DELETE", kDataRights + "/" + status.at("request_id").get<std::string>(),
                   bearer(token), signed_body);
    }
    void run_due() const {
        REQUIRE(platform->privacy().requests.run_due([] { return true; }));
    }
    // What a refusal says, and whether it may be sent again.
    static std::string refusal(const Reply& reply) {
        const auto said = reply.json();
        CHECK(said.value("code", "") == std::to_string(reply.status));
        CHECK_FALSE(said.value("message", "").empty());
        return std::to_string(reply.status) + (said.value("fatal", false) ? " fatal" : " retry");
    }

    SigningKey key;
    std::string token;
};

}  // namespace tests
