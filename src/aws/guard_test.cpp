#include "aws/guard.h"

#include <gtest/gtest.h>

namespace pileus::aws {
namespace {

net::Headers fields(std::string host, std::string origin = {}) {
  net::Headers headers;
  headers.add("Host", std::move(host));
  if (!origin.empty()) headers.add("Origin", std::move(origin));
  return headers;
}

TEST(Guard, Names_of_this_machine_pass) {
  for (const auto* host : {"localhost", "LOCALHOST:4566", "127.0.0.1:4566", "127.8.9.1",
                           "[::1]:4566", "abc.lambda-url.us-east-1.localhost:4566"})
    EXPECT_FALSE(refuse_foreign(fields(host), {}, {})) << host;
}

TEST(Guard, A_rebound_name_is_refused) {
  for (const auto* host : {"evil.example", "localhost.evil.example", "127.0.0.1.evil.example",
                           "128.0.0.1", "", "[::2]", "127.0.0.256"})
    EXPECT_TRUE(refuse_foreign(fields(host), {}, {})) << host;
  EXPECT_FALSE(refuse_foreign(fields("cloud.home:80"), {"cloud.home"}, {}));
  EXPECT_FALSE(refuse_foreign(fields("a.home"), {".home"}, {}));
}

TEST(Guard, A_foreign_origin_is_refused_and_ones_own_is_not) {
  EXPECT_TRUE(refuse_foreign(fields("localhost:4566", "https://evil.example"), {}, {}));
  EXPECT_TRUE(refuse_foreign(fields("localhost:4566", "null"), {}, {}));
  EXPECT_TRUE(refuse_foreign(fields("localhost:4566", "http://localhost:3000"), {}, {}));
  EXPECT_FALSE(refuse_foreign(fields("localhost:4566", "http://localhost:4566"), {}, {}));
  EXPECT_FALSE(refuse_foreign(fields("localhost:4566", "http://localhost:3000"), {},
                              {"http://localhost:3000"}));
}

}  // namespace
}  // namespace pileus::aws
