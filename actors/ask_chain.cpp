#include "actors/ask_chain.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "actors/pending_requests.hpp"

namespace troupe::actors {

namespace {

constexpr std::uint32_t index_of(base::ActorId actor) {
  return static_cast<std::uint32_t>(actor.value);
}

AskChains::Entry::Name packed(std::string_view name) {
  AskChains::Entry::Name words{};
  std::memcpy(words.data(), name.data(), std::min(sizeof words, name.size()));
  return words;
}

std::string unpacked(const AskChains::Entry::Name& words) {
  std::array<char, sizeof words + 1> text{};
  std::memcpy(text.data(), words.data(), sizeof words);
  return text.data();
}

}  // namespace

struct AskChains::Chunk {
  std::array<Entry, entries_a_chunk> entries;
};

AskChains::AskChains(std::uint32_t actors_max)
    : chunk_count_((actors_max + entries_a_chunk - 1) / entries_a_chunk),
      chunks_(std::make_unique<std::atomic<Chunk*>[]>(chunk_count_)) {}

AskChains::~AskChains() {
  for (std::uint32_t i = 0; i < chunk_count_; ++i) {
    delete chunks_[i].load(std::memory_order_acquire);
  }
}

AskChains::Entry* AskChains::entry_of(base::ActorId actor) const {
  const std::uint32_t index = index_of(actor);
  if (index / entries_a_chunk >= chunk_count_) {
    return nullptr;
  }
  Chunk* chunk = chunks_[index / entries_a_chunk].load(std::memory_order_acquire);
  return chunk == nullptr ? nullptr : &chunk->entries[index % entries_a_chunk];
}

AskChains::Entry& AskChains::begin(const Wait& wait) {
  auto& place = chunks_[index_of(wait.waiter) / entries_a_chunk];
  if (place.load(std::memory_order_acquire) == nullptr) {
    auto made = std::make_unique<Chunk>();
    Chunk* nobodys = nullptr;
    if (place.compare_exchange_strong(nobodys, made.get(), std::memory_order_acq_rel)) {
      (void)made.release();
    }
  }
  Entry& entry = *entry_of(wait.waiter);
  entry.begin(wait.waiter, {wait.target, wait.request, packed(wait.name)});
  return entry;
}

auto AskChains::graph(const PendingRequests& requests) const {
  return AskGraph{[this](base::ActorId actor) { return entry_of(actor); },
                  [&requests](base::ActorId request, base::ActorId target) {
                    return requests.holder_of(request, target);
                  }};
}

AskChains::Ring AskChains::find_ring(const Wait& wait, const PendingRequests& requests) const {
  std::vector<Entry::View> waits;
  if (!graph(requests).find_ring(wait.target, wait.waiter, waits)) {
    return {};
  }
  Ring ring{std::string{wait.name} + " → ", {}};
  for (const Entry::View& seen : waits) {
    ring.text += unpacked(seen.name) + " → ";
    ring.requests.push_back(seen.request);
  }
  ring.text += wait.name;
  return ring;
}

AskChains::Ring AskChains::find_ring_of(base::ActorId request,
                                        const PendingRequests& requests) const {
  const base::ActorId waiter = requests.waiter_of(request);
  const Entry::View seen = graph(requests).wait_of(waiter, request);
  if (!seen.target) {
    return {};
  }
  const std::string name = unpacked(seen.name);
  return find_ring({waiter, requests.holder_of(request, seen.target), request, name}, requests);
}

base::ActorId AskChains::awaited_by(base::ActorId waiter) const {
  const Entry* entry = entry_of(waiter);
  return entry == nullptr ? base::ActorId{} : entry->look(waiter).target;
}

}  // namespace troupe::actors
