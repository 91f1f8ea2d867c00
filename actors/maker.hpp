#pragma once

#include <cstddef>
#include <memory>
#include <new>
#include <tuple>
#include <utility>

#include "actors/actor.hpp"

namespace troupe::actors {

/// Makes one actor's objects, at its start and at every restart, one at a time. One allocation has
/// the constructor's arguments and the object; classes that take none share one maker.
///
/// Used by one thread at a time. Owned through MakerPtr; outlives the object.
class Maker {
 public:
  /// Throws what the actor's constructor throws.
  [[nodiscard]] virtual Actor* make() = 0;
  virtual void unmake(Actor* actor) noexcept { delete actor; }
  /// Frees this, unless it is shared.
  virtual void release() noexcept { delete this; }

 protected:
  virtual ~Maker() = default;
};

struct MakerRelease {
  void operator()(Maker* maker) const noexcept { maker->release(); }
};
using MakerPtr = std::unique_ptr<Maker, MakerRelease>;

namespace detail {

/// Has no state.
template <class A>
class DefaultMaker final : public Maker {
 public:
  [[nodiscard]] Actor* make() override { return new A(); }
  void release() noexcept override {}
};

template <class A, class... Args>
class ArgumentsMaker final : public Maker {
 public:
  explicit ArgumentsMaker(Args... args) : args_(std::move(args)...) {}
  [[nodiscard]] Actor* make() override {
    return std::apply([this](const Args&... args) { return ::new (place_) A(args...); }, args_);
  }
  void unmake(Actor* actor) noexcept override { actor->~Actor(); }

 private:
  std::tuple<Args...> args_;
  alignas(A) std::byte place_[sizeof(A)];
};

class FunctionMaker final : public Maker {
 public:
  explicit FunctionMaker(ActorFactory factory) : factory_(std::move(factory)) {}
  [[nodiscard]] Actor* make() override { return factory_().release(); }

 private:
  ActorFactory factory_;
};

}  // namespace detail

/// The maker of an actor class and its constructor's arguments, which are copied for every object.
template <class A, class... Args>
[[nodiscard]] MakerPtr make_maker(Args... args) {
  if constexpr (sizeof...(Args) == 0) {
    static detail::DefaultMaker<A> shared;
    return MakerPtr{&shared};
  } else {
    return MakerPtr{new detail::ArgumentsMaker<A, Args...>(std::move(args)...)};
  }
}

}  // namespace troupe::actors
