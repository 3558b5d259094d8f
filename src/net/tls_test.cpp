#include "net/tls.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/tls_context.h"

namespace pileus::net {
namespace {

using testing::StartsWith;
const Time kNow = Time(std::chrono::sys_days(std::chrono::year(2030) / 1 / 15));

TEST(Tls, A_leaf_carries_its_chain_and_ends_after_825_days) {
  SystemRandom random;
  const auto authority = make_authority("test", kNow, random);
  ASSERT_TRUE(authority);
  EXPECT_THAT(authority->private_key_pem, StartsWith("-----BEGIN PRIVATE KEY-----"));
  const auto leaf =
      make_leaf(*authority, {"localhost", "*.localhost", "127.0.0.1", "::1"}, kNow, random);
  ASSERT_TRUE(leaf);
  EXPECT_THAT(leaf->certificate_chain_pem, testing::EndsWith(authority->certificate_pem));
  EXPECT_EQ(certificate_end(leaf->certificate_chain_pem),
            kNow - std::chrono::days(1) + std::chrono::days(825));
  EXPECT_EQ(certificate_end("nonsense"), std::nullopt);
  EXPECT_TRUE(server_context(*leaf));
}

TEST(Tls, Names_that_could_be_configuration_are_refused) {
  SystemRandom random;
  const auto authority = make_authority("test", kNow, random).value();
  for (const char* name : {"a,DNS:evil", "a b", "", "@section", "a;b"}) {
    EXPECT_FALSE(make_leaf(authority, {name}, kNow, random)) << name;
  }
  EXPECT_FALSE(make_leaf(authority, {}, kNow, random));
}

TEST(Tls, A_key_of_another_certificate_is_refused) {
  SystemRandom random;
  const auto one = make_authority("one", kNow, random).value();
  const auto two = make_authority("two", kNow, random).value();
  EXPECT_FALSE(make_leaf({one.certificate_pem, two.private_key_pem}, {"localhost"}, kNow, random));
  const auto leaf = make_leaf(one, {"localhost"}, kNow, random).value();
  const auto mixed = server_context({leaf.certificate_chain_pem, two.private_key_pem});
  ASSERT_FALSE(mixed);
  EXPECT_TRUE(mixed.error().is(errc::kInvalid));
  EXPECT_FALSE(server_context({"", ""}));
  EXPECT_FALSE(client_context("nonsense"));
}

}  // namespace
}  // namespace pileus::net
