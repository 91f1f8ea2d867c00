// A user directory with a client class: callers see functions, not messages.
#include <troupe/troupe.hpp>

#include <iostream>
#include <map>
#include <optional>

using namespace std::chrono_literals;

struct User {
  std::int64_t id = 0;
  std::string name;
  std::string email;
  TROUPE_MESSAGE(User, id, name, email)
};
struct CreateUser {
  using Reply = User;
  std::string name;
  std::string email;
  TROUPE_MESSAGE(CreateUser, name, email)
};
struct GetUser {
  using Reply = User;
  std::int64_t id = 0;
  TROUPE_MESSAGE(GetUser, id)
};
struct UpdateUser {
  using Reply = User;
  std::int64_t id = 0;
  std::optional<std::string> name;  // empty: stays as it is
  std::optional<std::string> email;
  TROUPE_MESSAGE(UpdateUser, id, name, email)
};
struct RemoveUser {
  std::int64_t id = 0;
  TROUPE_MESSAGE(RemoveUser, id)
};

class UserDirectory : public troupe::Actor {
 public:
  using Protocol = troupe::Protocol<CreateUser, GetUser, UpdateUser, RemoveUser>;

  User on(const CreateUser& m) {
    const std::int64_t id = ++last_id_;
    return users_[id] = User{id, m.name, m.email};
  }
  User on(const GetUser& m) { return find(m.id); }
  User on(const UpdateUser& m) {
    User& user = find(m.id);
    user.name = m.name.value_or(user.name);
    user.email = m.email.value_or(user.email);
    return user;
  }
  void on(const RemoveUser& m) { users_.erase(find(m.id).id); }

 private:
  User& find(std::int64_t id) {
    const auto found = users_.find(id);
    if (found == users_.end()) {
      throw troupe::Refusal{"user not found"};  // the asker gets the text, the actor lives on
    }
    return found->second;
  }

  std::map<std::int64_t, User> users_;
  std::int64_t last_id_ = 0;
};

/// What the rest of the program uses. Thread-safe; every function waits, so not in an actor.
class UserClient {
 public:
  explicit UserClient(troupe::ActorRef<UserDirectory> users) : users_(users) {}

  troupe::AskResult<User> create(std::string name, std::string email) const {
    return users_.ask(CreateUser{std::move(name), std::move(email)}, 5s).get();
  }
  troupe::AskResult<User> get(std::int64_t id) const { return users_.ask(GetUser{id}, 5s).get(); }
  troupe::AskResult<User> set_email(std::int64_t id, std::string email) const {
    return users_.ask(UpdateUser{.id = id, .email = std::move(email)}, 5s).get();
  }
  troupe::AskResult<void> remove(std::int64_t id) const {
    const auto done = users_.ask(RemoveUser{id}, 5s).get();
    return done.ok() ? troupe::AskResult<void>{} : done.error();
  }

 private:
  troupe::ActorRef<UserDirectory> users_;
};

int main(int argc, char** argv) {
  troupe::Node node{troupe::Config::from_command_line(argc, argv)};
  const UserClient users{node.spawn<UserDirectory>({.name = "directory"}).value()};

  const auto ada = users.create("Ada", "ada@example.org");
  if (!ada.ok()) {
    std::cerr << ada.error().text() << '\n';
    return 1;
  }
  const auto moved = users.set_email(ada->id, "ada@example.com");
  const bool is_removed = users.remove(ada->id).ok();
  const auto gone = users.get(ada->id);

  std::cout << (gone.ok() ? "still there" : gone.error().text()) << '\n';
  return moved.ok() && moved->name == "Ada" && moved->email == "ada@example.com" && is_removed &&
                 !gone.ok() && gone.error().reason == "user not found"
             ? 0
             : 1;
}
