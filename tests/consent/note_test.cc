#include "consent/note.h"

#include <nlohmann/json.hpp>

#include <catch2/catch.hpp>

#include "cdp/base/random.h"
#include "consent/base64.h"
#include "consent/checkpoint.h"
#include "consent/tlog_proof.h"
#include "tests/support/data.h"
#include "tests/support/seeds.h"

namespace {

using namespace consent;

constexpr std::string_view kVkey =
    "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
constexpr std::string_view kSigned =
    "This is an example message.\n\n\xe2\x80\x94 example.com/foo "
    "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM="
    "\n";

NoteSigner::Seed seed_of(std::uint8_t n) {
    NoteSigner::Seed seed{};
    seed[0] = n;
    return seed;
}

std::vector<VerifierKey> keys(std::initializer_list<const NoteSigner*> signers) {
    std::vector<VerifierKey> out;
    for (const auto* signer : signers) out.push_back(signer->verifier());
    return out;
}

std::string reason_of(std::string_view note, std::span<const VerifierKey> known) {
    const auto opened = open_note(note, known);
    return opened ? "opened" : opened.error().reason;
}

// The line a signer would add.
std::string line_of(const NoteSigner& signer, std::string_view text) {
    const auto note = signer.sign(text);
    return note.substr(note.rfind("\n\n") + 2);
}

TEST_CASE("the specification's example opens") {
    const auto key = parse_vkey(kVkey);
    REQUIRE(key);
    CHECK(key->str() == kVkey);
    const std::vector known{*key};
    const auto opened = open_note(kSigned, known);
    REQUIRE(opened);
    CHECK(opened->text == "This is an example message.\n");
    CHECK(opened->signers == known);
}

TEST_CASE("the public note vectors open, and their broken keys are refused") {
    const auto file = tests::data("merkle/vectors/signed_note.json");
    if (!file) return;
    const auto vector = nlohmann::json::parse(tests::read_file(*file));
    const std::vector known{parse_vkey(vector["vkey"].get<std::string>()).value()};
    const auto opened = open_note(vector["note"].get<std::string>(), known);
    REQUIRE(opened);
    CHECK(opened->text == vector["text"]);
    for (const auto& bad : vector["bad_vkeys"]) CHECK_FALSE(parse_vkey(bad.get<std::string>()));
    CHECK(parse_vkey(vector["tessera_testdata_vkey"].get<std::string>()));
    const auto tree = parse_checkpoint(vector["tree_note"]["text"].get<std::string>());
    REQUIRE(tree);
    CHECK(tree->size == 123456789012);
    CHECK(tree->root == TreeHasher().leaf("hello world"));
    CHECK(render(*tree) == vector["tree_note"]["text"]);
    // The published key signs the published note: Ed25519 has one signature for a text.
    const auto skey = vector["skey"].get<std::string>();
    const auto typed = from_base64(skey.substr(skey.find("c74f20a3+") + 9));
    REQUIRE(typed);
    NoteSigner::Seed seed;
    std::copy(typed->begin() + 1, typed->end(), seed.begin());
    const NoteSigner signer("PeterNeumann", seed);
    CHECK(signer.verifier().str() == vector["vkey"]);
    CHECK(signer.sign(vector["text"].get<std::string>()) == vector["note"]);
}

TEST_CASE("a note opens for who knows one of its signers, and for nobody when that one is forged") {
    const NoteSigner log("log.example", seed_of(1));
    const NoteSigner witness("witness.example", seed_of(2));
    const NoteSigner impostor("log.example", seed_of(3));
    const std::string text = "one\n\ntwo\n";
    const auto note = log.sign(text) + line_of(witness, text) + line_of(impostor, text);

    CHECK(open_note(note, keys({&log}))->text == text);
    CHECK(open_note(note, keys({&log, &witness}))->signers.size() == 2);
    CHECK(open_note(note, keys({&witness}))->signers.size() == 1);
    CHECK(reason_of(note, {}) == "signer_unknown");
    const NoteSigner stranger("else.example", seed_of(1));
    CHECK(reason_of(note, keys({&stranger})) == "signer_unknown");

    // Signed by both, but what the witness signed was another text.
    const auto forged = log.sign(text) + line_of(witness, "three\n");
    CHECK(reason_of(forged, keys({&log})) == "opened");
    CHECK(reason_of(forged, keys({&log, &witness})) == "signature_invalid");
    // Also after a good one of the same key.
    CHECK(reason_of(log.sign(text) + line_of(log, "three\n"), keys({&log})) == "signature_invalid");
}

TEST_CASE("the text ends at the last empty line, and many signatures are fine") {
    const NoteSigner log("log.example", seed_of(1));
    std::string note = log.sign("a\n\nb\n\n\xe2\x80\x94 not a signature\n");
    CHECK(open_note(note, keys({&log}))->text == "a\n\nb\n\n\xe2\x80\x94 not a signature\n");
    for (std::uint8_t i = 0; i < 99; ++i)
        note += line_of(NoteSigner("w" + std::to_string(i), seed_of(i)), "x\n");
    CHECK(reason_of(note, keys({&log})) == "opened");
    note += line_of(log, "a\n");
    CHECK(reason_of(note, keys({&log})) == "malformed_note");
}

TEST_CASE("what is no note is refused") {
    const NoteSigner log("log.example", seed_of(1));
    const auto known = keys({&log});
    const auto good = log.sign("text\n");
    const auto line = line_of(log, "text\n");
    CHECK(reason_of(good, known) == "opened");
    for (const std::string& bad :
         {std::string(), std::string("\n"), std::string("text\n"), std::string("text\n\n"),
          good.substr(0, good.size() - 1), "text\n" + line, good + "\n", good + "x\n",
          good + "\xe2\x80\x94 a+b AAAAAAAA\n", good + "\xe2\x80\x94  AAAAAAAA\n",
          good + "\xe2\x80\x94 name\n", good + "\xe2\x80\x94 name AAAA\n",
          good + "\xe2\x80\x94 name AAAAAAA\n", good + "\xe2\x80\x94 a\xc2\xa0z AAAAAAAA\n",
          good + "- name AAAAAAAA\n", "te\txt\n\n" + line, "te\xff\n\n" + line,
          "te\xed\xa0\x80\n\n" + line, std::string(kNoteBytesMax, 'x') + good}) {
        INFO(bad.substr(0, 200));
        CHECK(reason_of(bad, known) == "malformed_note");
    }
}

TEST_CASE("one changed bit anywhere and a note opens no more") {
    const NoteSigner log("log.example", seed_of(1));
    const auto note = log.sign("log.example\n7\nhash\n");
    for (std::size_t i = 0; i < note.size() * 8; ++i) {
        auto changed = note;
        changed[i / 8] = static_cast<char>(changed[i / 8] ^ (1 << i % 8));
        INFO(i);
        CHECK_FALSE(open_note(changed, keys({&log})));
    }
}

TEST_CASE("a checkpoint reads back, and what is none is refused") {
    const Checkpoint checkpoint{.origin = "log.example", .size = 7, .root = sha256("root")};
    const auto text = render(checkpoint);
    REQUIRE(parse_checkpoint(text));
    CHECK(*parse_checkpoint(text) == checkpoint);
    CHECK(*parse_checkpoint(text + "an extension\n") == checkpoint);
    const auto root = to_base64(view(checkpoint.root));
    for (const std::string& bad :
         {std::string(), text.substr(0, text.size() - 1), text + "\n", "\n7\n" + root + "\n",
          "o\n07\n" + root + "\n", "o\n+7\n" + root + "\n", "o\n7\n" + root.substr(4) + "\n",
          std::string("o\n7\n\n"), "o\n18446744073709551616\n" + root + "\n",
          "o\n0\n" + root + "\n", "o\n7 \n" + root + "\n"}) {
        INFO(bad);
        CHECK_FALSE(parse_checkpoint(bad));
    }
}

TEST_CASE("a checkpoint is its own log's") {
    const NoteSigner log("log.example", seed_of(1));
    const NoteSigner other("other.example", seed_of(1));
    const auto text = render(Checkpoint{.origin = "log.example", .size = 0, .root = empty_root()});
    CHECK(open_checkpoint(log.sign(text), keys({&log})));
    CHECK(open_checkpoint(other.sign(text), keys({&other})).error().reason == "origin_foreign");
}

TEST_CASE("a tlog-proof verifies with nothing but the log's key") {
    const auto seed = GENERATE(tests::seeds(40));
    CAPTURE(seed);
    cdp::Random random(seed);
    const NoteSigner log("log.example", seed_of(1));
    TreeHasher hasher;
    std::vector<std::string> entries(1 + random.below(20));
    std::map<NodeAt, Sha256> nodes;
    Frontier frontier;
    for (auto& entry : entries) {
        entry = std::to_string(random.next());
        frontier.append(hasher, hasher.leaf(entry),
                        [&](NodeAt at, const Sha256& hash) { nodes[at] = hash; });
    }
    const auto index = random.below(entries.size());
    const auto path = prove_inclusion(hasher, index, entries.size(),
                                      [&](NodeAt at) { return cdp::Result<Sha256>(nodes.at(at)); });
    REQUIRE(path);
    TlogProof proof{.index = index, .path = *path};
    if (random.one_in(2)) proof.extra = "opaque";
    proof.checkpoint = log.sign(render(Checkpoint{
        .origin = "log.example", .size = entries.size(), .root = frontier.root(hasher)}));

    const auto text = render(proof);
    const auto read = parse_tlog_proof(text);
    REQUIRE(read);
    CHECK(*read == proof);
    const auto known = keys({&log});
    const auto shown = verify(*read, entries[index], known);
    REQUIRE(shown);
    CHECK(shown->checkpoint.size == entries.size());
    CHECK(verify(*read, "another", known).error().reason == "proof_invalid");

    // A changed byte is noticed, but for the extra data, which nobody signs.
    auto changed = text;
    const auto at = random.below(text.size());
    changed[at] = static_cast<char>(changed[at] ^ (1 << random.below(7)));
    const auto reread = parse_tlog_proof(changed);
    if (reread && reread->extra == proof.extra) CHECK_FALSE(verify(*reread, entries[index], known));
    for (std::size_t cut = 0; cut < text.size(); ++cut) {
        const auto part = parse_tlog_proof(text.substr(0, cut));
        CHECK((!part || !verify(*part, entries[index], known)));
    }
}

}  // namespace
