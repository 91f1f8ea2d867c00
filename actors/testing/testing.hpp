#pragma once

// The kit for users' tests; installed as <troupe/testing.hpp>. It reports to GoogleTest, which the
// user links, where that is installed. For another framework: define TROUPE_NO_GOOGLETEST; then
// what fails is thrown, or, at a system's end, printed before the program aborts (see
// use_framework()).

#if __has_include(<gtest/gtest.h>) && !defined(TROUPE_NO_GOOGLETEST)
#include <gtest/gtest.h>
#endif

#include "actors/testing/failure.hpp"
#include "actors/testing/probe.hpp"
#include "actors/testing/test_system.hpp"

#ifdef GTEST_TEST

namespace troupe::testing::detail {

inline constexpr Framework googletest{
    .fail = [](std::string_view text) { ADD_FAILURE() << text; },
    .has_failed = [] { return ::testing::Test::HasFailure(); },
    .arguments =
        [] {
          const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
          return test == nullptr ? std::string{}
                                 : std::string{"--gtest_filter="} + test->test_suite_name() + "." +
                                       test->name();
        }};
inline const bool reports_to_googletest = use_framework(googletest);

}  // namespace troupe::testing::detail

#endif
