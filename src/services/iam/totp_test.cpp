#include "services/iam/totp.h"

#include <gtest/gtest.h>

namespace pileus::services::iam {

// RFC 6238, appendix B (SHA-1), whose seed is "12345678901234567890"; the last six of eight digits.
constexpr std::string_view kSeed = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

TEST(Totp, Codes_are_those_of_the_rfc) {
  EXPECT_EQ(totp_code(kSeed, 59 / 30), "287082");
  EXPECT_EQ(totp_code(kSeed, 1111111109 / 30), "081804");
  EXPECT_EQ(totp_code(kSeed, 1234567890 / 30), "005924");
  EXPECT_EQ(totp_code(kSeed, 20000000000 / 30), "353130");
  EXPECT_EQ(totp_code("not base32!", 1), "");
}

TEST(Totp, Only_consecutive_codes_match) {
  const auto code = [](std::int64_t step) { return totp_code(kSeed, step); };
  EXPECT_EQ(match_codes(kSeed, code(99), code(100), 100, kEnableWindow), 100);
  EXPECT_EQ(match_codes(kSeed, code(119), code(120), 100, kEnableWindow), 120);
  EXPECT_EQ(match_codes(kSeed, code(120), code(121), 100, kEnableWindow), std::nullopt);
  EXPECT_EQ(match_codes(kSeed, code(100), code(99), 100, kEnableWindow), std::nullopt);
  EXPECT_EQ(match_codes(kSeed, code(98), code(100), 100, kEnableWindow), std::nullopt);
}

TEST(Totp, A_code_counts_once) {
  const std::string code = totp_code(kSeed, 100);
  EXPECT_EQ(match_code(kSeed, code, 100, 0), 100);
  EXPECT_EQ(match_code(kSeed, code, 101, 0), 100);
  EXPECT_EQ(match_code(kSeed, code, 102, 0), std::nullopt);
  EXPECT_EQ(match_code(kSeed, code, 100, 100), std::nullopt);
  EXPECT_EQ(match_code(kSeed, "", 100, 0), std::nullopt);
}

}  // namespace pileus::services::iam
