#include "actors/ask_chain.hpp"

#include <algorithm>
#include <cstring>

#include "actors/pending_requests.hpp"

namespace troupe::actors {

namespace {

constexpr std::size_t word_bytes = sizeof(std::uint64_t);

constexpr std::uint32_t index_of(base::ActorId actor) {
  return static_cast<std::uint32_t>(actor.value);
}

void write_name(AskChains::Entry& entry, std::string_view name) {
  for (std::size_t i = 0; i < entry.name.size(); ++i) {
    std::uint64_t word = 0;
    if (i * word_bytes < name.size()) {
      std::memcpy(&word, name.data() + i * word_bytes,
                  std::min(word_bytes, name.size() - i * word_bytes));
    }
    entry.name[i].store(word, std::memory_order_relaxed);
  }
}

std::string read_name(const AskChains::Entry& entry) {
  std::array<char, sizeof(entry.name) + 1> text{};
  for (std::size_t i = 0; i < entry.name.size(); ++i) {
    const std::uint64_t word = entry.name[i].load(std::memory_order_relaxed);
    std::memcpy(text.data() + i * word_bytes, &word, word_bytes);
  }
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
  entry.waiter.store(wait.waiter.value, std::memory_order_relaxed);
  entry.request.store(wait.request.value, std::memory_order_relaxed);
  write_name(entry, wait.name);
  entry.target.store(wait.target.value, std::memory_order_seq_cst);
  return entry;
}

AskChains::Ring AskChains::find_ring(const Wait& wait, const PendingRequests& requests) const {
  Ring ring;
  base::ActorId at = wait.target;
  for (std::uint32_t hop = 0; hop < hops_max; ++hop) {
    if (at == wait.waiter) {
      ring.text = std::string{wait.name} + " → " + ring.text + std::string{wait.name};
      return ring;
    }
    const Entry* entry = entry_of(at);
    if (entry == nullptr) {
      return {};
    }
    const std::uint64_t target = entry->target.load(std::memory_order_seq_cst);
    if (target == 0 || entry->waiter.load(std::memory_order_relaxed) != at.value) {
      return {};
    }
    const base::ActorId request{entry->request.load(std::memory_order_relaxed)};
    std::string name = read_name(*entry);
    // A request that was answered, or whose right to answer was kept, holds nobody responsible.
    const base::ActorId holder = requests.holder_of(request, {target});
    if (!holder || entry->target.load(std::memory_order_acquire) != target) {
      return {};
    }
    ring.text += name + " → ";
    ring.requests.push_back(request);
    at = holder;
  }
  return {};
}

AskChains::Ring AskChains::find_ring_of(base::ActorId request,
                                        const PendingRequests& requests) const {
  const base::ActorId waiter = requests.waiter_of(request);
  const Entry* entry = entry_of(waiter);
  if (!waiter || entry == nullptr) {
    return {};
  }
  const base::ActorId target{entry->target.load(std::memory_order_seq_cst)};
  const std::string name = read_name(*entry);
  if (!target || entry->waiter.load(std::memory_order_relaxed) != waiter.value ||
      entry->request.load(std::memory_order_relaxed) != request.value ||
      entry->target.load(std::memory_order_acquire) != target.value) {
    return {};
  }
  return find_ring({waiter, requests.holder_of(request, target), request, name}, requests);
}

base::ActorId AskChains::awaited_by(base::ActorId waiter) const {
  const Entry* entry = entry_of(waiter);
  if (entry == nullptr) {
    return {};
  }
  const base::ActorId target{entry->target.load(std::memory_order_acquire)};
  return entry->waiter.load(std::memory_order_relaxed) == waiter.value ? target : base::ActorId{};
}

}  // namespace troupe::actors
