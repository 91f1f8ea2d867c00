#include "node/demo_actors.hpp"

#include <fmt/format.h>

namespace troupe::node {

namespace demo {

void Counter::on(const Increment& message) {
  std::int64_t count = 0;
  if (__builtin_add_overflow(count_, message.by, &count)) {
    throw actors::Refusal{"the count would leave the range of 64 bits"};
  }
  count_ = count;
}

void Counter::on(const Decrement& message) {
  std::int64_t count = 0;
  if (__builtin_sub_overflow(count_, message.by, &count)) {
    throw actors::Refusal{"the count would leave the range of 64 bits"};
  }
  count_ = count;
}

directory::User Users::on(const directory::Create& message) {
  if (users_.size() >= users_max) {
    throw actors::Refusal{fmt::format("the directory is full: {} users", users_max)};
  }
  directory::User user{.name = message.name, .email = message.email};
  do {
    const std::uint64_t high = random().next();
    const std::uint64_t low = random().next();
    user.id = fmt::format("{:016x}{:016x}", high, low);
  } while (users_.contains(user.id));
  return users_[user.id] = user;
}

directory::User Users::on(const directory::Update& message) {
  directory::User& user = require(message.id);
  user.name = message.name.value_or(user.name);
  user.email = message.email.value_or(user.email);
  return user;
}

directory::Deleted Users::on(const directory::Delete& message) {
  users_.erase(require(message.id).id);
  return {};
}

directory::User Users::on(const directory::Get& message) {
  return require(message.id);
}

directory::User& Users::require(const std::string& id) {
  const auto found = users_.find(id);
  if (found == users_.end()) {
    throw actors::Refusal{"user not found"};
  }
  return found->second;
}

std::int64_t Squarer::on(const Square& message) {
  std::int64_t square = 0;
  if (__builtin_mul_overflow(message.number, message.number, &square)) {
    throw actors::Refusal{"the square does not fit into 64 bits"};
  }
  return square;
}

}  // namespace demo

void register_demo_actors(Kinds& kinds) {
  kinds.add<demo::Counter>("counter").value();
  kinds.add<demo::Users>("users").value();
  kinds.add<demo::Echo>("echo").value();
  kinds.add<demo::Squarer>("square").value();
}

}  // namespace troupe::node
