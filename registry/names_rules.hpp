#pragma once

#include <cstdint>
#include <optional>

#include "registry/messages.hpp"
#include "registry/record.hpp"

/// What is decided about names, apart from how it is sent: the place where a store that a majority
/// agrees on, and leases, take over from the leader's own word.
namespace troupe::registry {

/// Grants of one leadership. A new leader counts from the next multiple, so it cannot repeat an
/// epoch that its predecessor granted without its knowledge.
inline constexpr std::uint64_t epochs_per_term = 1'000'000;

/// Whether `a` replaces `b`, both of one name: the higher epoch; the older holder, which only
/// matters between clusters that were formed apart; the later state.
[[nodiscard]] bool is_newer(const Record& a, const Record& b);

/// Higher than all terms and all terms that granted epochs.
[[nodiscard]] std::uint64_t next_term(std::uint64_t term_max, std::uint64_t epoch_seen_max);

enum class Verdict {
  keep,         ///< stands as it is
  wait,         ///< its holder is still to be heard
  start_again,  ///< somewhere, with a new epoch
  start_failed,
  release,
};

/// What its new leader makes of a record.
/// `holder_heard`: it answered this leader; then `hold` is what it said of this epoch, if anything.
struct HolderView {
  bool holder_live = false;
  bool holder_heard = false;
  std::optional<HoldState> hold;
};
[[nodiscard]] Verdict settle(const Record& record, const HolderView& view);

/// What becomes of a name whose holder is dead, or has stopped because it was told to move.
[[nodiscard]] Verdict after_loss(const Record& record);

/// What becomes of a name when its holder says where it stands.
[[nodiscard]] Verdict on_ended(const Record& record, HoldState state);

[[nodiscard]] bool is_alive(HoldState state);
/// starting, bound or moving: somebody holds it.
[[nodiscard]] bool is_held(NameState state);

}  // namespace troupe::registry
