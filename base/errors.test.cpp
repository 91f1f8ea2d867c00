#include "base/errors.hpp"

#include <gtest/gtest.h>

namespace troupe::base {
namespace {

struct Silent {};

template <class Function>
std::string thrown_by(Function&& function) {
  try {
    function();
  } catch (const WrongResult& wrong) {
    return wrong.what();
  }
  return "nothing";
}

TEST(Result, ThrowsItsErrorsTextWhereAValueIsWanted) {
  const Result<int> failed = Error{Errc::not_found, "no actor 'hist'"};
  EXPECT_EQ(thrown_by([&] { (void)failed.value(); }),
            "value() of a failed result: not_found: no actor 'hist'");
  EXPECT_EQ(thrown_by([&] { (void)*failed; }),
            "value() of a failed result: not_found: no actor 'hist'");
  const Result<void> nothing = Error{Errc::closed, {}};
  EXPECT_EQ(thrown_by([&] { nothing.value(); }), "value() of a failed result: closed");
  const Result<int, Silent> silent = Silent{};
  EXPECT_EQ(thrown_by([&] { (void)silent.value(); }), "value() of a failed result");
}

TEST(Result, ThrowsWhereAnErrorIsWantedOfAValue) {
  const Result<int> one = 1;
  EXPECT_EQ(thrown_by([&] { (void)one.error(); }), "error() of a result that holds a value");
  const Result<void> done;
  EXPECT_EQ(thrown_by([&] { (void)done.error(); }), "error() of a result that holds a value");
  EXPECT_EQ(thrown_by([&] { done.value(); }), "nothing");
}

}  // namespace
}  // namespace troupe::base
