#include "aws/access_key_id.h"

#include "base/text.h"

namespace pileus::aws {

namespace {

// Ten bytes: a set bit, 40 bits of account, 39 bits of chance. AWS's ids of today hold the account
// in the same place.
constexpr std::size_t kBytes = 10;
constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
constexpr std::size_t kIdSize = 20;
constexpr std::int64_t kAccounts = 1'000'000'000'000;

}  // namespace

std::string make_access_key_id(std::string_view prefix, std::string_view account, Random& random) {
  const auto number = static_cast<std::uint64_t>(parse_int(account).value_or(0));
  std::uint8_t bytes[kBytes];
  random.fill(bytes);
  const std::uint64_t head = (std::uint64_t{1} << 47) | (number << 7) | (bytes[5] & 0x7f);
  for (int i = 0; i < 6; ++i) bytes[i] = static_cast<std::uint8_t>(head >> (8 * (5 - i)));
  std::string id(prefix);
  std::uint32_t buffer = 0;
  int bits = 0;
  for (const auto byte : bytes) {
    buffer = (buffer << 8) | byte;
    for (bits += 8; bits >= 5; bits -= 5) id += kAlphabet[(buffer >> (bits - 5)) & 31];
  }
  return id;
}

std::optional<std::string> account_of_access_key(std::string_view id) {
  if (id.size() != kIdSize) return std::nullopt;
  if (!id.starts_with(kLongLivedKeyPrefix) && !id.starts_with(kTemporaryKeyPrefix))
    return std::nullopt;
  std::uint64_t head = 0;  // the first 50 bits, of which 48 are looked at
  for (std::size_t i = 0; i < 16; ++i) {
    const auto value = kAlphabet.find(id[4 + i]);
    if (value == std::string_view::npos) return std::nullopt;
    if (i < 10) head = (head << 5) | value;
  }
  head >>= 2;
  const auto number = static_cast<std::int64_t>((head >> 7) & ((std::uint64_t{1} << 40) - 1));
  if (!(head >> 47) || number >= kAccounts) return std::nullopt;
  std::string account = std::to_string(number);
  return std::string(12 - account.size(), '0') + account;
}

std::string make_secret_access_key(Random& random) {
  std::uint8_t bytes[30];
  random.fill(bytes);
  return to_base64({reinterpret_cast<const char*>(bytes), sizeof bytes});
}

}  // namespace pileus::aws
