// Bytes of strangers on a node's port: each connection may be lost by it, and nothing else.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <functional>
#include <iostream>

#include "base/random.hpp"
#include "cluster-tests/process/cluster.hpp"
#include "cluster-tests/process/tcp.hpp"

namespace troupe::cluster_tests {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr char hello_kind = 1;
constexpr char welcome_kind = 2;
constexpr char refuse_kind = 3;
constexpr char batch_kind = 4;

std::uint64_t test_seed() {
  const char* given = std::getenv("TROUPE_SEED");
  const std::uint64_t seed = given == nullptr ? 20'240 : std::strtoull(given, nullptr, 10);
  std::cout << "seed " << seed << " (TROUPE_SEED overrides it)\n";
  return seed;
}

std::string random_bytes(base::Random& random, std::size_t count) {
  std::string bytes;
  for (std::size_t i = 0; i < count; ++i) {
    bytes += static_cast<char>(random.below(256));
  }
  return bytes;
}

std::string little_endian(std::uint64_t number, int bytes) {
  std::string text;
  for (int i = 0; i < bytes; ++i) {
    text += static_cast<char>(number >> (8 * i));
  }
  return text;
}

/// A client's hello: an array of 11 fields in MessagePack.
std::string hello(const std::string& name) {
  return std::string{hello_kind} + "\x9B\x01\x01\xA0" + static_cast<char>(0xA0 + name.size()) +
         name + "\x01\xA0\xA6" + "client" + "\x02\x4D\x90\x80";
}

std::string batch(std::uint32_t count, std::uint64_t sequence, const std::string& records) {
  return std::string{batch_kind} + '\x02' + std::string(2, '\0') + little_endian(count, 4) +
         little_endian(0x4D, 8) + little_endian(sequence, 8) + little_endian(0, 8) +
         little_endian(0, 8) + records;
}

std::string record(const std::string& bytes) {
  return little_endian(bytes.size(), 4) + bytes;
}

class BadBytes : public testing::Test {
 protected:
  void SetUp() override {
    cluster_.start_nodes(2);
    ASSERT_EQ(cluster_.troupe({"spawn", "counter", "--name", "hits", "--node", "n1"}).exit_code, 0);
  }
  void TearDown() override {
    expect_answers();
    EXPECT_EQ(cluster_.running(), (Words{"n1", "n2"}));
    const Ran status = cluster_.troupe_at("n2", {"status", "-o", "json"});
    const cli::Value members = at(status.json(), "members");
    ASSERT_EQ(size_of(members), 2U) << status.text();
    for (std::size_t i = 0; i < 2; ++i) {
      EXPECT_EQ(text_of(at(at(members, i), "state")), "up");
    }
    EXPECT_EQ(cluster_.troupe({"ledger"}).exit_code, 0);
  }

  /// Both nodes answer while strangers do what they do.
  void expect_answers() {
    ++answers_;
    EXPECT_EQ(cluster_.troupe_at("n2", {"send", "hits", "Increment"}).exit_code, 0);
    EXPECT_EQ(cluster_.troupe_at("n1", {"ask", "hits", "Get"}).out,
              std::to_string(answers_) + "\n");
  }
  Tcp raw() { return Tcp{cluster_.host(), cluster_.port("n1")}; }
  Tcp shaken() { return zmtp::connect(cluster_.host(), cluster_.port("n1")); }
  /// A client that the node has welcomed.
  Tcp welcomed(const std::string& name) {
    Tcp connection = shaken();
    EXPECT_TRUE(connection.send(zmtp::message(hello(name))));
    EXPECT_EQ(zmtp::receive(connection).substr(0, 1), std::string{welcome_kind});
    return connection;
  }

  Cluster cluster_;
  int answers_ = 0;
};

TEST_F(BadBytes, BelowTheProtocolCloseTheirConnection) {
  base::Random random{test_seed()};
  for (int i = 0; i < 50; ++i) {
    Tcp stranger = raw();
    ASSERT_TRUE(stranger.is_open());
    stranger.send(random_bytes(random, 1 + random.below(500)));
  }
  const std::vector<std::string> openings{
      "GET / HTTP/1.1\r\nHost: example.org\r\n\r\n",
      std::string(4096, '\0'),
      zmtp::greeting().substr(0, 30),
      zmtp::greeting() + zmtp::long_header(~0ULL),
      zmtp::greeting() + std::string{"\x04\xFFREADY"},
      zmtp::greeting() + zmtp::ready() + zmtp::long_header(std::uint64_t{1} << 40U),
      zmtp::greeting() + zmtp::ready() + zmtp::long_header(64ULL << 20U) + std::string(1000, 'x'),
      zmtp::greeting() + zmtp::ready() + zmtp::message(hello("cut")).substr(0, 10)};
  for (const std::string& opening : openings) {
    Tcp stranger = raw();
    stranger.send(opening);
    stranger.shut();
    EXPECT_TRUE(stranger.wait_for_close()) << "after " << opening.size() << " bytes";
  }
  Tcp oversized = shaken();
  EXPECT_TRUE(oversized.send(zmtp::long_header((16ULL << 20U) + 1)));
  EXPECT_TRUE(oversized.wait_for_close()) << "a frame over 16 MiB ends its connection";
}

TEST_F(BadBytes, OfHalfOpenConnectionsHoldNothingUp) {
  std::vector<Tcp> silent;
  for (int i = 0; i < 100; ++i) {
    silent.push_back(raw());
    ASSERT_TRUE(silent.back().is_open());
    if (i % 2 == 0) {
      silent.back().send(zmtp::greeting().substr(0, static_cast<std::size_t>(i) % 64));
    }
  }
  for (int i = 0; i < 20; ++i) {
    silent.push_back(shaken());  // and then never a hello
  }
  expect_answers();
  EXPECT_TRUE(silent[0].wait_for_close()) << "a handshake that is not finished is given up";
}

TEST_F(BadBytes, InsteadOfAHelloAreRefused) {
  base::Random random{test_seed()};
  const std::vector<std::string> frames{"",
                                        std::string(1, '\0'),
                                        "\x09",
                                        std::string{hello_kind},
                                        hello("twice") + "x",
                                        std::string{hello_kind} + "\xDD\xFF\xFF\xFF\xFF",
                                        std::string{hello_kind} + std::string(200, '\x91'),
                                        std::string{hello_kind} + "\xC7\xFF\x01",
                                        hello("bad name"),
                                        hello(""),
                                        batch(1, 1, record("early")),
                                        std::string{welcome_kind} + hello("me").substr(1)};
  for (std::size_t i = 0; i < frames.size(); ++i) {
    Tcp stranger = shaken();
    EXPECT_TRUE(stranger.send(zmtp::message(frames[i])));
    EXPECT_EQ(zmtp::receive(stranger).substr(0, 1), std::string{refuse_kind}) << "frame " << i;
  }
  for (int i = 0; i < 100; ++i) {
    Tcp stranger = shaken();
    const char kind = static_cast<char>(random.below(7));
    stranger.send(zmtp::message(std::string{kind} + random_bytes(random, random.below(120))));
  }
}

TEST_F(BadBytes, InsideABatchAreRefusedOrAnswered) {
  base::Random random{test_seed()};
  const std::string plain(28, '\0');
  const std::vector<std::string> batches{
      batch(0, 1, ""),
      batch(1, 1, ""),
      batch(1000000, 1, record("x")),
      batch(1, 1, little_endian(0xFFFFFFFF, 4) + "x"),
      batch(1, 1, record("") + "rest"),
      batch(2, 1, record(std::string(1, '\x07') + plain) + record("")),
      batch(1, 0, record("x")),
      batch(1, 1, record("")),
      batch(1, 1, record(std::string{"\x63"} + plain + "unknown kind")),
      batch(1, 1, record(std::string{"\x07"} + std::string(31, '\0') + "cluster news of a client")),
      batch(1, 1, record(std::string{"\x01\x04"} + std::string(30, '\0') + "\xFF" + "short name")),
      batch(1, 9, record("a gap before it"))};
  for (std::size_t i = 0; i < batches.size(); ++i) {
    Tcp stranger = welcomed("evil" + std::to_string(i));
    EXPECT_TRUE(stranger.send(zmtp::message(batches[i]))) << "batch " << i;
  }
  for (int i = 0; i < 60; ++i) {
    Tcp stranger = welcomed("random" + std::to_string(i));
    std::string records;
    const std::uint64_t count = 1 + random.below(3);
    for (std::uint64_t at = 0; at < count; ++at) {
      const char kind = static_cast<char>(1 + random.below(8));
      records += record(std::string{kind} + static_cast<char>(random.below(32)) +
                        random_bytes(random, random.below(80)));
    }
    stranger.send(zmtp::message(batch(static_cast<std::uint32_t>(count), 1, records)));
    if (i % 10 == 0) {
      (void)stranger.receive(2, milliseconds{200});
    }
  }
  expect_answers();
}

}  // namespace
}  // namespace troupe::cluster_tests
