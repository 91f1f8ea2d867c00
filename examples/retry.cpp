// Retrying: what certainly did not run is tried again, with backoff; what may have run only if it
// is declared idempotent.
#include <iostream>
#include <stdexcept>
#include <troupe/troupe.hpp>
#include <vector>

using namespace std::chrono_literals;

struct Charge {
  using Reply = std::int64_t;
  std::int64_t amount = 0;
  TROUPE_MESSAGE(Charge, amount)
};
/// Saying it twice does no more than saying it once.
struct SetFloat {
  using Reply = std::int64_t;
  static constexpr bool idempotent = true;
  std::int64_t amount = 0;
  TROUPE_MESSAGE(SetFloat, amount)
};

/// Takes its time, and has room for one more request only.
class Till : public troupe::Actor {
 public:
  using Protocol = troupe::Protocol<Charge, SetFloat>;

  troupe::Task<std::int64_t> on(Charge m) {
    co_await delay(2ms);
    total += m.amount;
    if (m.amount == 0) {
      throw std::runtime_error{"a charge of nothing"};
    }
    ++charges;
    co_return m.amount;
  }
  std::int64_t on(const SetFloat& m) {
    coins = m.amount;
    if (++floats == 1) {
      throw std::runtime_error{"the drawer is stuck"};  // it has run, and nobody knows
    }
    return coins;
  }
  static inline std::int64_t coins = 0;
  static inline std::int64_t floats = 0;
  static inline std::int64_t total = 0;    // of all its lives
  static inline std::int64_t charges = 0;  // read when it is idle
};

/// Asks on behalf of others. Reentrant: takes the next request while one waits.
class Cashier : public troupe::Actor {
 public:
  using Protocol = troupe::Protocol<Charge, SetFloat>;
  static constexpr bool reentrant = true;
  explicit Cashier(troupe::ActorRef<Till> till) : till_(till) {}

  troupe::Task<std::int64_t> on(Charge m) {
    auto asking = troupe::ask_with_retry(till_, m, policy_, 20s);
    const auto charged = co_await std::move(asking);
    if (!charged.ok()) {
      throw troupe::Refusal{charged.error().text()};
    }
    co_return charged.value();
  }
  troupe::Task<std::int64_t> on(SetFloat m) {
    auto asking = troupe::ask_with_retry(till_, m, policy_, 20s);
    const auto set = co_await std::move(asking);
    co_return set.value();
  }

 private:
  troupe::ActorRef<Till> till_;
  troupe::RetryPolicy policy_{.attempts_max = 1000, .backoff_min = 1ms, .backoff_max = 20ms};
};

int main(int argc, char** argv) {
  constexpr std::int64_t customers = 10;
  troupe::Node node{troupe::Config::from_command_line(argc, argv)};
  const auto till = node.spawn<Till>({.mailbox_messages_max = 1}).value();
  const auto cashier = node.spawn<Cashier>({}, till).value();

  // Together they find the till's mailbox full, again and again; each is charged once in the end.
  std::vector<troupe::Ask<std::int64_t>> asks;
  for (std::int64_t customer = 1; customer <= customers; ++customer) {
    asks.push_back(cashier.ask(Charge{customer}, 30s));
  }
  for (auto& ask : asks) {
    const auto charged = ask.get();
    if (!charged.ok()) {
      std::cerr << charged.error().text() << '\n';
      return 1;
    }
  }
  // The till crashes in the middle of this one: it may have run, so it is reported, not repeated.
  const auto crashed = cashier.ask(Charge{0}, 30s).get();
  std::cout << Till::charges << " charges, total " << Till::total << "; then "
            << (crashed.ok() ? "no error" : crashed.error().text()) << '\n';
  // In the middle of this one, too; but it is idempotent, and so repeated.
  const auto coins = cashier.ask(SetFloat{50}, 30s).get();
  std::cout << "float " << (coins.ok() ? std::to_string(coins.value()) : coins.error().text())
            << ", set " << Till::floats << " times\n";
  return coins.ok() && coins.value() == 50 && Till::floats == 2 && Till::charges == customers &&
                 Till::total == customers * (customers + 1) / 2 && !crashed.ok() &&
                 crashed.error().reason.starts_with("may_have_run")
             ? 0
             : 1;
}
