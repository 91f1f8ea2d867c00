#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.hpp"

namespace troupe::registry {

/// How fast death is noticed, and how rarely wrongly. docs/failure-model.md has the formulas.
struct MembershipOptions {
  /// One member is asked each interval. Shorter: faster detection, more traffic.
  base::Duration probe_interval = std::chrono::milliseconds{500};
  /// Wait for the direct answer before others are asked to try. Above the network's p99.
  base::Duration probe_timeout = std::chrono::milliseconds{250};
  /// How many others try when the direct probe was not answered.
  std::uint32_t indirect_probes = 2;
  /// A suspect that nobody else suspects is down after this.
  base::Duration suspicion_max = std::chrono::milliseconds{2000};
  /// A suspect that others suspect too is down after this.
  base::Duration suspicion_min = std::chrono::milliseconds{1500};
  /// Time from suspicion to down when the connection was reset and nobody else reaches it either.
  base::Duration suspicion_reset = std::chrono::milliseconds{1000};
  /// Never down before this has passed since we last heard from it.
  base::Duration silence_min = std::chrono::milliseconds{1000};
  /// Own slowness (unanswered probes) stretches interval and timeouts up to 1 + this times.
  std::uint32_t health_max = 4;
  /// News travel with so many of the next messages: this times log2(members + 1), rounded up.
  std::uint32_t gossip_repeat = 3;
  std::uint32_t gossip_members_max = 8;  ///< news a message
  std::uint32_t gossip_fanout = 3;       ///< members that get fresh news at once
  /// Whole state exchanged with one random member: bounds how long views can differ.
  base::Duration exchange_interval = std::chrono::seconds{5};
  /// Seeds and members without a link are dialled again.
  base::Duration dial_interval = std::chrono::seconds{2};
  base::Duration dial_interval_joining = std::chrono::milliseconds{250};  ///< while not ready
  /// The first seed of the list becomes a cluster of one if nobody answered; other seeds later, by
  /// their place in the list; who is not in it never does.
  base::Duration form_alone_first = std::chrono::milliseconds{500};
  base::Duration form_alone_other = std::chrono::seconds{3};
  /// A tick that comes later than this after it was due means that we did not run.
  base::Duration pause_tolerated = std::chrono::milliseconds{400};
  /// Members, dead ones included, that are remembered; further ones are refused.
  std::uint32_t members_max = 1024;
};

struct NamesOptions {
  /// The leader tells its table's version.
  base::Duration beat_interval = std::chrono::seconds{1};
  /// Unanswered requests and unconfirmed reports are sent again.
  base::Duration retry_interval = std::chrono::milliseconds{300};
  /// Released names are remembered, so that an old record cannot bring them back.
  base::Duration released_kept = std::chrono::seconds{60};
  /// Starts in a row that may fail before a name is released.
  std::uint32_t start_failures_max = 5;
  /// Names of the whole cluster; further claims are refused.
  std::uint32_t names_max = 1'000'000;
};

struct GroupsOptions {
  base::Duration beat_interval = std::chrono::seconds{2};
  std::uint32_t entries_max = 1'000'000;  ///< of this node; further ones are refused
};

struct ClusterOptions {
  /// Addresses to dial, in the order that decides who may form a cluster alone. Empty: this node.
  std::vector<std::string> seeds;
  MembershipOptions membership;
  NamesOptions names;
  GroupsOptions groups;
};

}  // namespace troupe::registry
