#pragma once

#include <functional>
#include <memory>
#include <tuple>
#include <utility>

#include "actors/actor.hpp"

namespace troupe::actors {

/// Makes one actor's objects: at its start and at every restart. One small allocation with the
/// constructor's arguments; classes that take none share one object.
///
/// Used by one thread at a time. Owned through MakerPtr.
class Maker {
 public:
  /// Throws what the actor's constructor throws.
  [[nodiscard]] virtual std::unique_ptr<Actor> make() const = 0;
  /// Frees this, unless it is shared.
  virtual void release() const noexcept { delete this; }

 protected:
  virtual ~Maker() = default;
};

struct MakerRelease {
  void operator()(const Maker* maker) const noexcept { maker->release(); }
};
using MakerPtr = std::unique_ptr<const Maker, MakerRelease>;

namespace detail {

template <class A>
class DefaultMaker final : public Maker {
 public:
  [[nodiscard]] std::unique_ptr<Actor> make() const override { return std::make_unique<A>(); }
  void release() const noexcept override {}
};

template <class A, class... Args>
class ArgumentsMaker final : public Maker {
 public:
  explicit ArgumentsMaker(Args... args) : args_(std::move(args)...) {}
  [[nodiscard]] std::unique_ptr<Actor> make() const override {
    return std::apply([](const Args&... args) { return std::make_unique<A>(args...); }, args_);
  }

 private:
  std::tuple<Args...> args_;
};

class FunctionMaker final : public Maker {
 public:
  explicit FunctionMaker(ActorFactory factory) : factory_(std::move(factory)) {}
  [[nodiscard]] std::unique_ptr<Actor> make() const override { return factory_(); }

 private:
  ActorFactory factory_;
};

}  // namespace detail

/// The maker of an actor class and its constructor's arguments, which are copied for every object.
template <class A, class... Args>
[[nodiscard]] MakerPtr make_maker(Args... args) {
  if constexpr (sizeof...(Args) == 0) {
    static const detail::DefaultMaker<A> shared;
    return MakerPtr{&shared};
  } else {
    return MakerPtr{new detail::ArgumentsMaker<A, Args...>(std::move(args)...)};
  }
}

}  // namespace troupe::actors
