#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "actors/actor.hpp"
#include "base/message.hpp"
#include "node/kinds.hpp"

namespace troupe::node {

/// The actors that a node brings along, to try a cluster without writing one.
namespace demo {

struct Increment {
  std::int64_t by = 1;
  TROUPE_MESSAGE(Increment, by)
};
struct Decrement {
  std::int64_t by = 1;
  TROUPE_MESSAGE(Decrement, by)
};
/// What has been counted so far.
struct Get {
  using Reply = std::int64_t;
  TROUPE_MESSAGE(Get)
};

/// Kind `counter`. Asked for a step that leaves the range of 64 bits it refuses; told so, it stays
/// where it is.
class Counter : public actors::Actor {
 public:
  using Protocol = actors::Protocol<Increment, Decrement, Get>;
  void on(const Increment& message);
  void on(const Decrement& message);
  std::int64_t on(const Get&) { return count_; }

 private:
  std::int64_t count_ = 0;
};

/// A directory of users; a namespace of its own because `Get` means another thing here.
namespace directory {

struct User {
  std::string id;  ///< 32 hexadecimal digits, chosen by the directory
  std::string name;
  std::string email;
  TROUPE_MESSAGE(User, id, name, email)
};
struct Create {
  using Reply = User;
  std::string name;
  std::string email;
  TROUPE_MESSAGE(Create, name, email)
};
/// Changes what is given. Refused: "user not found".
struct Update {
  using Reply = User;
  std::string id;
  std::optional<std::string> name;
  std::optional<std::string> email;
  TROUPE_MESSAGE(Update, id, name, email)
};
struct Deleted {
  bool deleted = true;
  TROUPE_MESSAGE(Deleted, deleted)
};
/// Refused: "user not found".
struct Delete {
  using Reply = Deleted;
  std::string id;
  TROUPE_MESSAGE(Delete, id)
};
/// Refused: "user not found".
struct Get {
  using Reply = User;
  std::string id;
  TROUPE_MESSAGE(Get, id)
};

}  // namespace directory

/// Kind `users`. Holds at most `users_max`; refuses more.
class Users : public actors::Actor {
 public:
  using Protocol =
      actors::Protocol<directory::Create, directory::Update, directory::Delete, directory::Get>;
  static constexpr std::size_t users_max = 100'000;

  directory::User on(const directory::Create& message);
  directory::User on(const directory::Update& message);
  directory::Deleted on(const directory::Delete& message);
  directory::User on(const directory::Get& message);

 private:
  directory::User& require(const std::string& id);

  std::map<std::string, directory::User> users_;
};

/// Answers with its text.
struct Say {
  using Reply = std::string;
  std::string text;
  TROUPE_MESSAGE(Say, text)
};

/// Kind `echo`.
class Echo : public actors::Actor {
 public:
  using Protocol = actors::Protocol<Say>;
  std::string on(const Say& message) { return message.text; }
};

/// Answers with the number times itself. Refused if that does not fit into 64 bits.
struct Square {
  using Reply = std::int64_t;
  std::int64_t number = 0;
  TROUPE_MESSAGE(Square, number)
};

/// Kind `square`, the worker of the pool `squares`.
class Squarer : public actors::Actor {
 public:
  using Protocol = actors::Protocol<Square>;
  std::int64_t on(const Square& message);
};

}  // namespace demo

/// Adds the kinds counter, users, echo and square. Aborts if one of them is taken.
void register_demo_actors(Kinds& kinds);

}  // namespace troupe::node
