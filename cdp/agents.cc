#include "cdp/agents.h"

#include <algorithm>
#include <utility>

#include "cdp/base/bytes.h"
#include "cdp/facts.h"
#include "cdp/refuse.h"
#include "consent/base64.h"
#include "consent/ed25519.h"
#include "consent/entry.h"
#include "consent/json_writer.h"
#include "consent/utf8.h"
#include "storage/contended.h"
#include "storage/key.h"
#include "storage/random.h"

namespace cdp {
namespace {

constexpr std::uint8_t kFormat = 1;
constexpr int kRacesMax = 50;
constexpr std::size_t kIdMax = 64;
constexpr std::size_t kNameMax = 256;
constexpr std::size_t kHostMax = 253;
constexpr std::size_t kHostsMax = 16;
constexpr std::size_t kTokenBytes = 32;
const Token kAll = Token::from("all agents......");
const Token kEnded = Token::from("agents that were");

std::string prefix_of(const Token& list) {
    return storage::KeyWriter(storage::Space::agent, list).str();
}
std::string ended_key(const Agent& agent) {
    const auto commitment = agent.commitment();
    return prefix_of(kEnded).append(consent::view(commitment));
}
std::string agent_key(const storage::Vault& vault, std::string_view id) {
    return storage::KeyWriter(storage::Space::agent, kAll).id(vault.hash<Token>("agent", id)).str();
}
std::string token_key(const Token& token) {
    return storage::KeyWriter(storage::Space::agent, token).str();
}
std::string used_key(const storage::Vault& vault, std::string_view signed_bytes) {
    return storage::KeyWriter(storage::Space::agent,
                              vault.hash<Token>("agent message", signed_bytes))
        .str();
}

// When the last message was made by which an agent that is gone had set a token up.
std::string last_key(const storage::Vault& vault, std::string_view id) {
    return storage::KeyWriter(storage::Space::agent, vault.hash<Token>("agent that was", id)).str();
}

storage::SubjectKey own(const storage::Vault& vault) {
    return vault.own_key("agents");
}

std::string seal(const storage::Vault& vault, std::string_view key, const Agent& agent) {
    ByteWriter out;
    out.raw(agent.said()).raw(consent::view(agent.salt));
    out.u8(agent.token ? 1 : 0).raw(agent.token.value_or(Token{}).view());
    out.i64(milliseconds_of(agent.set_up));
    const auto end = agent.ended.value_or(Agent::End{});
    out.u8(agent.ended ? 1 : 0).i64(milliseconds_of(end.time)).bytes(end.author);
    out.raw(consent::view(end.salt));
    return storage::Vault::seal(own(vault), key, out.str());
}

Result<Agent> open(const storage::Vault& vault, std::string_view key, std::string_view sealed) {
    const auto plain = CDP_TRY(storage::Vault::open(own(vault), key, sealed));
    ByteReader in(plain);
    Agent out;
    const auto format = in.u8();
    out.id = in.bytes();
    out.name = in.bytes();
    out.verify_key = in.bytes();
    for (auto n = in.u16(); n > 0 && in.ok(); --n) out.callback_hosts.emplace_back(in.bytes());
    out.registered = timestamp_of(in.i64());
    out.author = in.bytes();
    std::ranges::copy(in.raw(out.salt.size()), out.salt.begin());
    const auto has_token = in.u8();
    const auto token = in.id<Token>();
    if (has_token == 1) out.token = token;
    out.set_up = timestamp_of(in.i64());
    const auto has_ended = in.u8();
    Agent::End end{.time = timestamp_of(in.i64()), .author = std::string(in.bytes())};
    std::ranges::copy(in.raw(end.salt.size()), end.salt.begin());
    if (has_ended == 1) out.ended = std::move(end);
    if (!in.done() || format != kFormat || has_token > 1 || has_ended > 1)
        return damaged("an agent that cannot be read");
    return out;
}

bool is_host(std::string_view text) {
    return !text.empty() && text.size() <= kHostMax && std::ranges::all_of(text, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-';
    });
}

Result<Agent> checked(const NewAgent& agent) {
    const bool id =
        !agent.id.empty() && agent.id.size() <= kIdMax &&
        std::ranges::all_of(agent.id, [](char c) { return (c >= 'A' && c <= 'Z') || c == '_'; });
    if (!id) return refuse("malformed_agent_id", "An agent's id is 1 to 64 of [A-Z_].", "/id");
    if (agent.name.empty() || agent.name.size() > kNameMax || !consent::is_line(agent.name))
        return refuse("malformed_name", "A name is one line of 1 to 256 bytes.", "/name");
    auto key = consent::from_base64(agent.verify_key);
    if (!key || !consent::is_ed25519_key(*key))
        return refuse("malformed_verify_key", "A key is the base64 of a public key of Ed25519.",
                      "/verify_key");
    if (agent.callback_hosts.size() > kHostsMax ||
        !std::ranges::all_of(agent.callback_hosts, is_host))
        return refuse("malformed_host", "At most 16 names of hosts in lower case are expected.",
                      "/callback_hosts");
    return Agent{.id = agent.id,
                 .name = agent.name,
                 .verify_key = *std::move(key),
                 .callback_hosts = agent.callback_hosts};
}

Error agent_unknown() {
    return {.code = ErrorCode::not_found,
            .reason = "agent_unknown",
            .message = "No such agent is registered."};
}

void append(storage::Transaction& transaction, const storage::Vault& vault, const Agent& agent,
            Timestamp time, const consent::Sha256& salt, const std::string& said) {
    consent::append_entry(transaction, vault,
                          {.type = consent::EntryType::version,
                           .time = time,
                           .salt = salt,
                           .bytes = said,
                           .fields = {{consent::PublicTag::name, "agent/" + agent.id}}});
}

// It stays, as what requests were verified by, without its token.
void end(storage::Transaction& transaction, const storage::Vault& vault, Agent agent,
         const std::string& author, Timestamp time) {
    agent.token.reset();
    agent.ended = Agent::End{.time = time, .author = author, .salt = consent::random_salt()};
    const auto key = ended_key(agent);
    transaction.put(key, seal(vault, key, agent));
    append(transaction, vault, agent, time, agent.ended->salt, agent.said_of_end());
}

}  // namespace

std::string Agent::said() const {
    ByteWriter out;
    out.u8(kFormat).bytes(id).bytes(name).bytes(verify_key);
    out.u16(static_cast<std::uint16_t>(callback_hosts.size()));
    for (const auto& host : callback_hosts) out.bytes(host);
    return out.i64(milliseconds_of(registered)).bytes(author).take();
}

consent::Sha256 Agent::commitment() const {
    return consent::commitment(consent::EntryType::version, salt, said());
}

std::string Agent::said_of_end() const {
    const auto stands = ended.value_or(End{});
    return ByteWriter().raw(said()).i64(milliseconds_of(stands.time)).bytes(stands.author).take();
}

consent::Sha256 Agent::commitment_of_end() const {
    return consent::commitment(consent::EntryType::version, ended.value_or(End{}).salt,
                               said_of_end());
}

std::string Agent::registration() const {
    const auto all = commitment();
    return to_hex(consent::view(all).substr(0, sizeof(Token::bytes)));
}

std::string agent_json(const Agent& agent) {
    consent::JsonWriter out;
    out.open().text("id", agent.id).text("name", agent.name);
    out.text("verify_key", consent::to_base64(agent.verify_key));
    out.texts("callback_hosts", agent.callback_hosts);
    out.text("registration", agent.registration());
    out.text("registered", format_time(agent.registered)).text("author", agent.author);
    if (agent.ended)
        out.text("ended", format_time(agent.ended->time)).text("ended_by", agent.ended->author);
    return out.flag("set_up", agent.token.has_value()).close().take();
}

Result<void> each_agent(const storage::Snapshot& snapshot, const storage::Vault& vault,
                        const std::function<bool(const Result<Agent>&)>& visit) {
    bool more = true;
    const auto each = [&](std::string_view key, std::string_view sealed) {
        more = visit(open(vault, key, sealed));
        return more;
    };
    CDP_CHECK(snapshot.scan(prefix_of(kAll), "", each));
    if (!more) return Result<void>::ok();
    return snapshot.scan(prefix_of(kEnded), "", each);
}

Result<void> Agents::commit(const Change& change) const {
    for (int race = 0; race < kRacesMax; ++race) {
        const auto snapshot = needs_.store.snapshot();
        storage::Transaction transaction(*snapshot, storage::kPartition);
        if (!CDP_TRY(change(transaction))) return Result<void>::ok();
        const auto outcome = storage::commit_and_wait(needs_.store, std::move(transaction));
        if (outcome.state == storage::CommitState::ok) return Result<void>::ok();
        if (outcome.state == storage::CommitState::unknown) return outcome.error;
    }
    return storage::contended("nothing was changed. Send it again in a moment.");
}

Result<Agent> Agents::add(const std::string& author, const NewAgent& agent) const {
    auto fresh = CDP_TRY(checked(agent));
    fresh.registered = needs_.clock.now();
    fresh.author = author;
    fresh.salt = consent::random_salt();
    const Change change = [&](storage::Transaction& transaction) -> Result<bool> {
        const auto earlier = CDP_TRY(find(transaction, fresh.id));
        fresh.token.reset();
        if (earlier) {
            end(transaction, needs_.vault, *earlier, author, fresh.registered);
            fresh.set_up = earlier->set_up;
            if (earlier->verify_key == fresh.verify_key)
                fresh.token = earlier->token;
            else if (earlier->token)
                transaction.erase(token_key(*earlier->token));
        } else if (const auto last = CDP_TRY(transaction.get(last_key(needs_.vault, fresh.id)))) {
            ByteReader in(*last);
            fresh.set_up = timestamp_of(in.i64());
            if (!in.done()) return damaged("when an agent was set up, that cannot be read");
        }
        const auto key = agent_key(needs_.vault, fresh.id);
        transaction.put(key, seal(needs_.vault, key, fresh));
        append(transaction, needs_.vault, fresh, fresh.registered, fresh.salt, fresh.said());
        return true;
    };
    CDP_CHECK(commit(change));
    return fresh;
}

Result<void> Agents::remove(const std::string& author, std::string_view id) const {
    const Change change = [&](storage::Transaction& transaction) -> Result<bool> {
        const auto agent = CDP_TRY(find(transaction, id));
        if (!agent) return agent_unknown();
        if (agent->token) transaction.erase(token_key(*agent->token));
        transaction.erase(agent_key(needs_.vault, id));
        end(transaction, needs_.vault, *agent, author, needs_.clock.now());
        transaction.put(last_key(needs_.vault, id),
                        ByteWriter().i64(milliseconds_of(agent->set_up)).take());
        return true;
    };
    return commit(change);
}

Result<Agents::Registered> Agents::all() const {
    Registered out;
    auto outcome = Result<void>::ok();
    CDP_CHECK(each_agent(*needs_.store.snapshot(), needs_.vault, [&](const Result<Agent>& one) {
        if (one)
            (one->ended ? out.ended : out.agents).push_back(*one);
        else
            outcome = one.error();
        return static_cast<bool>(outcome);
    }));
    CDP_CHECK(outcome);
    for (auto* list : {&out.agents, &out.ended})
        std::ranges::sort(*list, {}, [](const Agent& one) {
            return std::pair(std::string_view(one.id), one.registered);
        });
    return out;
}

Result<std::optional<Agent>> Agents::find(storage::Transaction& transaction,
                                          std::string_view id) const {
    const auto key = agent_key(needs_.vault, id);
    const auto sealed = CDP_TRY(transaction.get(key));
    if (!sealed) return std::optional<Agent>{};
    return std::optional(CDP_TRY(open(needs_.vault, key, *sealed)));
}

Result<std::optional<Agent>> Agents::find(std::string_view id) const {
    const auto snapshot = needs_.store.snapshot();
    storage::Transaction transaction(*snapshot, storage::kPartition);
    return find(transaction, id);
}

Result<std::optional<Agent>> Agents::of_token(std::string_view token) const {
    const auto snapshot = needs_.store.snapshot();
    storage::Transaction transaction(*snapshot, storage::kPartition);
    const auto hash = needs_.vault.access_key_hash(token);
    const auto id = CDP_TRY(transaction.get(token_key(hash)));
    if (!id) return std::optional<Agent>{};
    auto agent = CDP_TRY(find(transaction, *id));
    if (agent && agent->token != hash) agent.reset();
    return agent;
}

Result<std::string> Agents::set_up(std::string_view id, std::string_view signed_bytes,
                                   Timestamp issued) const {
    const auto token = consent::to_base64(storage::random_bytes(kTokenBytes));
    const auto used = used_key(needs_.vault, signed_bytes);
    const Change change = [&](storage::Transaction& transaction) -> Result<bool> {
        auto agent = CDP_TRY(find(transaction, id));
        if (!agent) return agent_unknown();
        if (issued <= agent->set_up || CDP_TRY(transaction.get(used)))
            return Error{.code = ErrorCode::conflict,
                         .reason = "message_replayed",
                         .message = "A message that is as new set a token up already."};
        if (agent->token) transaction.erase(token_key(*agent->token));
        agent->token = needs_.vault.access_key_hash(token);
        agent->set_up = issued;
        transaction.put(token_key(*agent->token), std::string(id));
        // For no request.
        transaction.put(used, std::string(PrivacyRequestId{}.view()));
        const auto key = agent_key(needs_.vault, id);
        transaction.put(key, seal(needs_.vault, key, *agent));
        return true;
    };
    CDP_CHECK(commit(change));
    return token;
}

Result<bool> Agents::use_once(std::string_view signed_bytes,
                              const PrivacyRequestId& request) const {
    bool ours = true;
    const auto key = used_key(needs_.vault, signed_bytes);
    const Change change = [&](storage::Transaction& transaction) -> Result<bool> {
        const auto used = CDP_TRY(transaction.get(key));
        ours = !used || *used == request.view();
        if (!used) transaction.put(key, std::string(request.view()));
        return !used;
    };
    CDP_CHECK(commit(change));
    return ours;
}

}  // namespace cdp
