// Many answers: a stream that comes as fast as its reader asks for more, one question to many
// actors, different questions together, and the first answer of two.
#include <algorithm>
#include <iostream>
#include <troupe/troupe.hpp>
#include <vector>

using namespace std::chrono_literals;

struct GetHistory {
  using Reply = troupe::Stream<std::int64_t>;
  std::int64_t days = 0;
  TROUPE_MESSAGE(GetHistory, days)
};
struct GetTemperature {
  using Reply = std::int64_t;
  TROUPE_MESSAGE(GetTemperature)
};
struct GetWritten {
  using Reply = std::int64_t;
  TROUPE_MESSAGE(GetWritten)
};
struct Compare {
  using Reply = std::string;
  TROUPE_MESSAGE(Compare)
};

class Station : public troupe::Actor {
 public:
  using Protocol = troupe::Protocol<GetHistory, GetTemperature, GetWritten>;
  static constexpr bool reentrant = true;  // answers others while a reader takes its time
  Station(std::int64_t temperature, troupe::Duration pause)
      : temperature_(temperature), pause_(pause) {}

  troupe::Task<> on(GetHistory m, troupe::StreamWriter<std::int64_t> history) {
    for (; written_ < m.days; ++written_) {
      auto writing = history.write(written_);  // waits until the reader wants one more
      if (co_await writing != troupe::Outcome::accepted) {
        co_return;  // nobody reads any more
      }
    }
    history.finish();
  }
  troupe::Task<std::int64_t> on(GetTemperature) {
    auto measuring = delay(pause_);
    co_await measuring;
    co_return temperature_;
  }
  std::int64_t on(const GetWritten&) { return written_; }

 private:
  std::int64_t temperature_;
  troupe::Duration pause_;
  std::int64_t written_ = 0;
};

class Office : public troupe::Actor {
 public:
  using Protocol = troupe::Protocol<Compare>;
  using Stations = std::vector<troupe::ActorRef<Station>>;
  explicit Office(Stations stations) : stations_(std::move(stations)) {}

  troupe::Task<std::string> on(Compare) {
    const GetHistory question{.days = 365};
    auto asking = stations_[0].ask(question);
    const auto opened = co_await asking;
    troupe::StreamReader<std::int64_t> history{opened.value(), {.window = 4}};
    std::int64_t days = 0;
    std::int64_t ahead_max = 0;
    for (;; ++days) {
      auto reading = history.next();
      const auto day = co_await reading;
      if (!day.value()) {  // a stream that failed would have no value(): this handler would throw
        break;
      }
      auto counting = stations_[0].ask(GetWritten{});
      const auto written = co_await counting;
      ahead_max = std::max(ahead_max, written.value() - *day.value() - 1);
    }

    auto asking_all = troupe::ask_all(stations_, GetTemperature{}, {.timeout = 5s});
    const auto temperatures = co_await std::move(asking_all);  // in the order of stations_
    auto both = troupe::gather(stations_[1].ask(GetTemperature{}), stations_[0].ask(GetWritten{}));
    const auto [second, written] = co_await std::move(both);

    std::vector<troupe::Ask<std::int64_t>> asks;
    asks.push_back(stations_[2].ask(GetTemperature{}));
    asks.push_back(stations_[1].ask(GetTemperature{}));
    auto racing = troupe::first_of(std::move(asks));  // cancels the other one
    const troupe::FirstReply<std::int64_t> first = co_await std::move(racing);

    co_return std::to_string(days) + " days, " + (ahead_max <= 4 ? "at most 4" : "too many") +
        " ahead; " + std::to_string(temperatures.size()) + " temperatures; " +
        std::to_string(second.value()) + " after " + std::to_string(written.value()) +
        " days; first: " + std::to_string(first.result.value_or(0));
  }

 private:
  Stations stations_;
};

int main(int argc, char** argv) {
  troupe::Node node{troupe::Config::from_command_line(argc, argv)};
  const auto north = node.spawn<Station>({}, std::int64_t{12}, troupe::Duration{0}).value();
  const auto south = node.spawn<Station>({}, std::int64_t{31}, troupe::Duration{0}).value();
  const auto slow = node.spawn<Station>({}, std::int64_t{25}, troupe::Duration{100ms}).value();
  const auto office = node.spawn<Office>({}, Office::Stations{north, south, slow}).value();

  const auto answer = office.ask(Compare{}, 10s).get();
  const std::string text = answer.ok() ? answer.value() : answer.error().text();
  std::cout << text << '\n';
  return text == "365 days, at most 4 ahead; 3 temperatures; 31 after 365 days; first: 31" ? 0 : 1;
}
