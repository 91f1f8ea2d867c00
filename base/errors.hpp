#pragma once

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "base/check.hpp"

namespace troupe::base {

/// Why an operation failed, to switch on. What happened exactly stands in Error::context.
enum class Errc : std::uint8_t {
  invalid_argument,  ///< the caller's value is not allowed
  malformed,         ///< bytes or text that do not follow their format
  limit_exceeded,    ///< a configured limit was reached
  not_found,         ///< no such name, actor, node or type
  already_exists,    ///< the name is taken
  unavailable,       ///< nobody reachable can answer now
  timed_out,         ///< the deadline passed
  refused,           ///< the other side said no, and why
  version_mismatch,  ///< no common protocol version
  cluster_mismatch,  ///< the other side belongs to another cluster
  address_in_use,    ///< the listen address is taken
  closed,            ///< the object was closed or is shutting down
  internal,          ///< a bug of ours, reported instead of aborting
};

/// The code's name as in the enumeration, for logs and the wire.
[[nodiscard]] std::string_view to_string(Errc code);

/// A failed operation: a code to switch on and a context for a person to read.
struct Error {
  Errc code = Errc::internal;
  std::string context;

  /// "not_found: no actor 'hist'".
  [[nodiscard]] std::string text() const;
};

/// A Result was asked for what it does not hold; what() has the error's text. A bug of the caller:
/// nobody needs to catch it. Thrown in an actor it fails the actor, as any exception does; outside
/// of actors it ends the program, unless it is caught.
class WrongResult : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

namespace detail {
/// Throws WrongResult. `text` is the error's, or empty.
[[noreturn]] void throw_no_value(const std::string& text);
[[noreturn]] void throw_no_error();

template <class E>
[[noreturn]] void throw_no_value_but(const E& error) {
  if constexpr (requires { error.text(); }) {
    throw_no_value(error.text());
  } else {
    throw_no_value({});
  }
}
}  // namespace detail

/// A value or the error that took its place. Not thread-safe.
template <class T, class E = Error>
class [[nodiscard]] Result {
 public:
  using Value = T;

  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(E error) : state_(std::in_place_index<1>, std::move(error)) {}

  [[nodiscard]] bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  /// Throws WrongResult when there is no value: ask ok() first, or be certain.
  T& value() & { return require_value(), std::get<0>(state_); }
  const T& value() const& { return require_value(), std::get<0>(state_); }
  T&& value() && { return require_value(), std::get<0>(std::move(state_)); }
  [[nodiscard]] T value_or(T other) const& { return ok() ? std::get<0>(state_) : std::move(other); }

  /// Throws WrongResult when there is a value.
  [[nodiscard]] const E& error() const {
    if (ok()) [[unlikely]] {
      detail::throw_no_error();
    }
    return std::get<1>(state_);
  }

  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

 private:
  void require_value() const {
    if (!ok()) [[unlikely]] {
      detail::throw_no_value_but(std::get<1>(state_));
    }
  }

  std::variant<T, E> state_;
};

/// Success, or the error.
template <class E>
class [[nodiscard]] Result<void, E> {
 public:
  using Value = void;

  Result() = default;
  Result(E error) : error_(std::move(error)) {}

  [[nodiscard]] bool ok() const { return !error_; }
  explicit operator bool() const { return ok(); }
  /// Throws WrongResult where it failed.
  void value() const {
    if (error_) [[unlikely]] {
      detail::throw_no_value_but(*error_);
    }
  }
  /// Throws WrongResult where it succeeded.
  [[nodiscard]] const E& error() const {
    if (ok()) [[unlikely]] {
      detail::throw_no_error();
    }
    return *error_;
  }

 private:
  std::optional<E> error_;
};

}  // namespace troupe::base
