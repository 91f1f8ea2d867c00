#include "actors/stress/evidence.hpp"

#include <algorithm>
#include <cstdio>
#include <numeric>

namespace troupe::actors::stress {

void Findings::add(std::string_view what, std::uint64_t detail) {
  base::MutexLock lock{mutex_};
  const auto [found, is_new] = counts_.try_emplace(std::string{what}, 0);
  ++found->second;
  if (is_new) {
    std::printf("WRONG: %s (%llu)\n", found->first.c_str(),
                static_cast<unsigned long long>(detail));
    std::fflush(stdout);
  }
}

bool Findings::empty() const {
  base::MutexLock lock{mutex_};
  return counts_.empty();
}

std::string Findings::text() const {
  base::MutexLock lock{mutex_};
  std::string text;
  for (const auto& [what, count] : counts_) {
    text += "WRONG, " + std::to_string(count) + " times: " + what + "\n";
  }
  return text;
}

Book::~Book() {
  for (auto& chunk : chunks_) {
    delete[] chunk.load(std::memory_order_relaxed);
  }
}

std::uint64_t Book::begin(std::uint8_t marks) {
  const std::uint64_t number = last_.fetch_add(1, std::memory_order_relaxed) + 1;
  TROUPE_CHECK(number < numbers_max, "a book is full: run fewer messages at once");
  if (marks != 0) {
    mark(number, marks);
  }
  return number;
}

std::uint8_t Book::mark(std::uint64_t number, std::uint8_t marks) {
  return at(number).fetch_or(marks, std::memory_order_acq_rel);
}

std::uint8_t Book::marks(std::uint64_t number) const {
  return at(number).load(std::memory_order_acquire);
}

Book::Entry& Book::at(std::uint64_t number) const {
  auto& place = chunks_[number / numbers_a_chunk];
  Entry* chunk = place.load(std::memory_order_acquire);
  if (chunk == nullptr) {
    auto built = std::make_unique<Entry[]>(numbers_a_chunk);
    // pairs with the acquire above: whoever finds it finds zeros in it
    if (place.compare_exchange_strong(chunk, built.get(), std::memory_order_acq_rel)) {
      chunk = built.release();
    }
  }
  return chunk[number % numbers_a_chunk];
}

void Lateness::note(base::Duration late) {
  base::Duration::rep before = latest_.load(std::memory_order_relaxed);
  while (late.count() > before && !latest_.compare_exchange_weak(before, late.count())) {
  }
}

bool Lateness::judge(base::Duration overslept) {
  overslept_[next_++ % overslept_.size()] = overslept;
  const base::Duration latest{latest_.exchange(0)};
  worst_.store(std::max(worst_.load(), latest.count()));
  return latest <= slack_ + *std::max_element(overslept_.begin(), overslept_.end());
}

void Evidence::note_handled(std::uint64_t question, bool may_repeat) {
  const std::uint8_t before = questions.mark(
      question, static_cast<std::uint8_t>(Book::handled | (may_repeat ? Book::repeated : 0)));
  if ((before & (Book::handled | Book::shared | Book::repeated)) == Book::handled && !may_repeat) {
    findings.add("a request was handled twice", question);
  }
  if ((before & Book::not_run) != 0 && (before & Book::shared) == 0) {
    findings.add("a request was handled that had ended as not_run", question);
  }
  if (is_exact && (before & (Book::cancelled | Book::handled | Book::aside)) == Book::cancelled) {
    findings.add("a request was handled that had been cancelled before", question);
  }
}

void Evidence::check_ledger(const LedgerSnapshot& now) {
  const auto ended = [](const LedgerSnapshot& ledger) {
    return std::accumulate(ledger.dead.begin(), ledger.dead.end(), ledger.delivered);
  };
  if (is_exact) {
    findings.check(now.is_balanced(), "the ledger does not add up between two turns");
  }
  // What was delivered or dead at the last reading had been sent before this one.
  findings.check(ended(last_) <= now.sent, "more messages ended than were sent");
  findings.check(last_.delivered <= now.delivered, "the ledger forgot deliveries");
  for (std::size_t i = 0; i < now.dead.size(); ++i) {
    findings.check(last_.dead[i] <= now.dead[i], "the ledger forgot dead letters");
  }
  last_ = now;
}

void Evidence::check_values() {
  for (std::uint64_t value = 1; value <= values.count(); ++value) {
    if ((values.marks(value) & (Book::ended | Book::handled)) == Book::ended) {
      findings.add("a value that was sent into a channel never came out", value);
    }
  }
}

Question::Question(Evidence& evidence, base::Duration timeout, Asker asker, std::uint8_t marks)
    : evidence_(evidence),
      timeout_(timeout),
      deadline_(evidence.clock.now() + timeout),
      asker_(asker),
      number_(evidence.questions.begin(marks)) {
  evidence_.open_questions.fetch_add(1, std::memory_order_relaxed);
}

Question::~Question() {
  evidence_.open_questions.fetch_sub(1, std::memory_order_release);
  if (has_ended_) {
    return;
  }
  if (asker_ == Asker::is_called) {
    evidence_.findings.add("a callback was destroyed without having been called", number_);
  }
  // Also an ask that is given up must not have been open beyond its deadline.
  evidence_.lateness.note(evidence_.clock.now() - deadline_);
  evidence_.questions.mark(number_, Book::given_up);
  evidence_.questions_given_up.fetch_add(1, std::memory_order_relaxed);
}

void Question::end(const AskResult<std::uint64_t>& result) {
  if (std::exchange(has_ended_, true)) {
    evidence_.findings.add("an ask ended twice", number_);
    return;
  }
  evidence_.lateness.note(evidence_.clock.now() - deadline_);
  const bool is_not_run = !result.ok() && result.error().kind == AskError::Kind::not_run;
  const std::uint8_t before = evidence_.questions.mark(
      number_, static_cast<std::uint8_t>(Book::ended | (is_not_run ? Book::not_run : 0)));
  const bool was_handled = (before & Book::handled) != 0;
  evidence_.ends[result.ok() ? 0 : static_cast<std::size_t>(result.error().kind)].fetch_add(
      1, std::memory_order_relaxed);
  if (result.ok()) {
    evidence_.findings.check(result.value() == answer_to(number_), "an ask got another's answer");
    evidence_.findings.check(was_handled, "an ask was answered that nobody handled");
  } else if (result.error().kind == AskError::Kind::refusal) {
    evidence_.findings.check(was_handled, "an ask was refused that nobody handled");
  } else if (is_not_run && was_handled && (before & Book::shared) == 0) {
    evidence_.findings.add(
        "a request that was handled ended as " + result.error().text().substr(0, 90), number_);
  }
}

Sending::Sending(Evidence& evidence, base::Duration timeout)
    : evidence_(evidence), deadline_(evidence.clock.now() + timeout) {
  evidence_.open_sends.fetch_add(1, std::memory_order_relaxed);
}

Sending::~Sending() {
  evidence_.lateness.note(evidence_.clock.now() - deadline_);
  evidence_.sends_ended.fetch_add(1, std::memory_order_relaxed);
  evidence_.open_sends.fetch_sub(1, std::memory_order_release);
}

}  // namespace troupe::actors::stress
