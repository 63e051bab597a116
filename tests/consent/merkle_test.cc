#include "consent/merkle.h"

#include <bit>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>

#include <catch2/catch.hpp>

#include "cdp/base/ids.h"
#include "cdp/base/random.h"
#include "consent/base64.h"
#include "tests/support/data.h"
#include "tests/support/seeds.h"

namespace {

using namespace consent;
using Json = nlohmann::json;

// The tree as RFC 6962 §2.1 defines it, over all its leaves, with nothing kept.
struct Oracle {
    std::vector<Sha256> leaves;

    static Sha256 hash(char prefix, std::string_view bytes) {
        return sha256(prefix + std::string(bytes));
    }
    Sha256 root(std::uint64_t begin, std::uint64_t end) const {
        if (begin == end) return sha256("");
        if (end - begin == 1) return leaves[begin];
        auto k = std::uint64_t{1};
        while (k * 2 < end - begin) k *= 2;
        const auto left = root(begin, begin + k);
        const auto right = root(begin + k, end);
        return hash(1, std::string(view(left)) + std::string(view(right)));
    }
    NodeReader reader() const {
        return [this](NodeAt at) -> cdp::Result<Sha256> {
            REQUIRE(((at.index + 1) << at.level) <= leaves.size());
            return root(at.index << at.level, (at.index + 1) << at.level);
        };
    }
};

Oracle oracle_of(std::uint64_t size) {
    Oracle oracle;
    for (std::uint64_t i = 0; i < size; ++i)
        oracle.leaves.push_back(Oracle::hash(0, "entry " + std::to_string(i)));
    return oracle;
}

TEST_CASE("leaves and nodes hash as RFC 6962 says") {
    TreeHasher hasher;
    const auto hex = [](const Sha256& hash) { return cdp::to_hex(view(hash)); };
    CHECK(hex(empty_root()) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    CHECK(hex(hasher.leaf("")) ==
          "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
    CHECK(hex(hasher.leaf("L123456")).starts_with("395aa064"));
    CHECK(hasher.leaf("L123456") == Oracle::hash(0, "L123456"));
    CHECK(hasher.plain("abc") == sha256("abc"));
    Sha256 left = sha256("l");
    Sha256 right = sha256("r");
    CHECK(hasher.node(left, right) ==
          Oracle::hash(1, std::string(view(left)) + std::string(view(right))));
}

TEST_CASE("a growing tree has the root of all its leaves, and its nodes are made in order") {
    TreeHasher hasher;
    const auto oracle = oracle_of(70);
    Frontier frontier;
    std::map<NodeAt, Sha256> nodes;
    for (std::uint64_t size = 0; size < 70; ++size) {
        CHECK(frontier.size() == size);
        REQUIRE(frontier.root(hasher) == oracle.root(0, size));
        const auto again = Frontier::of(size, oracle.reader());
        REQUIRE(again);
        CHECK(again->root(hasher) == frontier.root(hasher));
        frontier.append(hasher, oracle.leaves[size],
                        [&](NodeAt at, const Sha256& hash) { nodes[at] = hash; });
    }
    for (const auto& [at, hash] : nodes)
        CHECK(hash == oracle.root(at.index << at.level, (at.index + 1) << at.level));
    CHECK(nodes.size() == 70 + 35 + 17 + 8 + 4 + 2 + 1);
}

TEST_CASE("every inclusion proof holds, and only for its own entry, size and root") {
    TreeHasher hasher;
    const auto oracle = oracle_of(35);
    for (std::uint64_t size = 1; size <= 35; ++size) {
        const auto root = oracle.root(0, size);
        for (std::uint64_t index = 0; index < size; ++index) {
            const auto proof = prove_inclusion(hasher, index, size, oracle.reader());
            REQUIRE(proof);
            Inclusion claim{
                .index = index, .size = size, .leaf = oracle.leaves[index], .root = root};
            REQUIRE(verify(hasher, claim, *proof));
            for (std::uint64_t other = 0; other < size; ++other) {
                if (other == index) continue;
                claim.index = other;
                CHECK_FALSE(verify(hasher, claim, *proof));
            }
            claim.index = index;
            claim.root[0] ^= 1;
            CHECK_FALSE(verify(hasher, claim, *proof));
        }
        CHECK_FALSE(prove_inclusion(hasher, size, size, oracle.reader()));
    }
}

TEST_CASE("every consistency proof holds, and none survives a change") {
    TreeHasher hasher;
    const auto seed = GENERATE(tests::seeds(3));
    CAPTURE(seed);
    cdp::Random random(seed);
    const auto oracle = oracle_of(35);
    for (std::uint64_t second = 1; second <= 35; ++second)
        for (std::uint64_t first = 1; first <= second; ++first) {
            const Consistency claim{.sizes = {first, second},
                                    .first_root = oracle.root(0, first),
                                    .second_root = oracle.root(0, second)};
            auto proof = prove_consistency(hasher, claim.sizes, oracle.reader());
            REQUIRE(proof);
            REQUIRE(verify(hasher, claim, *proof));

            auto forged = claim;
            (random.one_in(2) ? forged.first_root : forged.second_root)[random.below(32)] ^= 8;
            CHECK_FALSE(verify(hasher, forged, *proof));
            if (proof->empty()) continue;
            auto changed = *proof;
            changed[random.below(changed.size())][random.below(32)] ^= 1;
            CHECK_FALSE(verify(hasher, claim, changed));
            auto cut = *proof;
            cut.pop_back();
            CHECK_FALSE(verify(hasher, claim, cut));
            proof->push_back(sha256("more"));
            CHECK_FALSE(verify(hasher, claim, *proof));
        }
    CHECK_FALSE(prove_consistency(hasher, {0, 3}, oracle.reader()));
    CHECK_FALSE(prove_consistency(hasher, {4, 3}, oracle.reader()));
}

// Hashes of another length cannot be said in our types. Where a vector calls for acceptance all
// the same (its roots are the words "don't care"), any two equal hashes do.
std::optional<Sha256> hash_in(const Json& text, bool refused_anyway) {
    const auto bytes = from_base64(text.get<std::string>());
    REQUIRE(bytes);
    if (bytes->size() != sizeof(Sha256))
        return refused_anyway ? std::nullopt : std::optional(sha256(*bytes));
    Sha256 hash;
    std::copy(bytes->begin(), bytes->end(), hash.begin());
    return hash;
}

struct Counted {
    int accepted = 0;
    int refused = 0;
    int unsayable = 0;
};

// nullopt: one of its hashes has another length.
std::optional<bool> outcome_of(TreeHasher& hasher, const Json& vector, bool refused_anyway) {
    const auto number = [&](const char* name) { return vector.at(name).get<std::uint64_t>(); };
    bool sayable = true;
    const auto hash = [&](const Json& text) {
        const auto found = hash_in(text, refused_anyway);
        sayable = sayable && found;
        return found.value_or(Sha256{});
    };
    std::vector<Sha256> proof;
    for (const auto& text : vector.at("proof")) proof.push_back(hash(text));
    bool holds = false;
    if (vector.contains("treeSize"))
        holds = verify(hasher,
                       Inclusion{.index = number("leafIdx"),
                                 .size = number("treeSize"),
                                 .leaf = hash(vector["leafHash"]),
                                 .root = hash(vector["root"])},
                       proof);
    else if (vector.contains("leafIdx"))
        holds = verify(hasher,
                       SubtreeInclusion{.index = number("leafIdx"),
                                        .subtree = {number("start"), number("end")},
                                        .leaf = hash(vector["leafHash"]),
                                        .root = hash(vector["root"])},
                       proof);
    else if (vector.contains("size1"))
        holds = verify(hasher,
                       Consistency{.sizes = {number("size1"), number("size2")},
                                   .first_root = hash(vector["root1"]),
                                   .second_root = hash(vector["root2"])},
                       proof);
    else
        holds = verify(hasher,
                       SubtreeConsistency{.subtree = {number("start"), number("end")},
                                          .size = number("size"),
                                          .subtree_root = hash(vector["root1"]),
                                          .root = hash(vector["root2"])},
                       proof);
    if (!sayable) return std::nullopt;
    return holds;
}

TEST_CASE("the public proof vectors are accepted and refused as they say") {
    const auto folder = tests::data("merkle/transparency-dev-merkle/testdata");
    if (!folder) return;
    TreeHasher hasher;
    std::map<std::string, Counted> counts;
    for (const auto& file : std::filesystem::recursive_directory_iterator(*folder)) {
        if (file.path().extension() != ".json") continue;
        INFO(file.path().string());
        auto vector = Json::parse(tests::read_file(file.path()));
        if (vector["proof"].is_null()) vector["proof"] = Json::array();
        const bool refused = vector.at("wantErr");
        auto& count = counts[file.path().lexically_relative(*folder).begin()->string()];
        const auto holds = outcome_of(hasher, vector, refused);
        CHECK(holds.value_or(false) == !refused);
        ++(!holds ? count.unsayable : *holds ? count.accepted : count.refused);
    }
    int all = 0;
    for (const auto& [kind, count] : counts) {
        std::cout << kind << ": " << count.accepted << " accepted, " << count.refused
                  << " refused, " << count.unsayable << " with hashes of another length\n";
        all += count.accepted + count.refused + count.unsayable;
    }
    CHECK(all == 518);
}

}  // namespace
