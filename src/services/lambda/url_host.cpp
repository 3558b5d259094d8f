#include "services/lambda/url_host.h"

#include <algorithm>
#include <cstdint>

#include "base/text.h"

namespace pileus::services::lambda {
namespace {

constexpr std::string_view kAlphabet = "abcdefghijklmnopqrstuvwxyz234567";
constexpr std::size_t kRandom = 24, kAccount = 8;  // 5 bits each
constexpr std::string_view kLabel = "lambda-url";

std::uint64_t mask_of(std::string_view random_part) {  // FNV-1a
  std::uint64_t hash = 14695981039346656037ull;
  for (const char c : random_part) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ull;
  return (hash ^ hash >> 24U) & 0xff'ffff'ffffull;
}

}  // namespace

std::string make_url_id(Random& random, std::string_view account) {
  std::string id;
  for (std::size_t i = 0; i < kRandom; ++i) id += kAlphabet[random.next() % kAlphabet.size()];
  const auto hidden = static_cast<std::uint64_t>(parse_int(account).value_or(0)) ^ mask_of(id);
  for (std::size_t i = 0; i < kAccount; ++i) id += kAlphabet[(hidden >> (5 * i)) & 31U];
  return id;
}

std::string account_of_url(std::string_view id) {
  if (id.size() != kRandom + kAccount) return {};
  std::uint64_t hidden = 0;
  for (std::size_t i = 0; i < id.size(); ++i) {
    const auto digit = kAlphabet.find(id[i]);
    if (digit == std::string_view::npos) return {};
    if (i >= kRandom) hidden |= static_cast<std::uint64_t>(digit) << (5 * (i - kRandom));
  }
  std::string account = std::to_string(hidden ^ mask_of(id.substr(0, kRandom)));
  if (account.size() > 12) return {};
  return std::string(12 - account.size(), '0') + account;
}

std::optional<UrlHost> parse_url_host(std::string_view host) {
  const auto dot = host.find('.');
  if (dot == std::string_view::npos || !host.substr(dot + 1).starts_with(kLabel))
    return std::nullopt;
  const std::string name = to_lower(host.substr(0, host.rfind(':')));
  const auto labels = split(name, '.');
  if (labels.size() < 4 || labels[1] != kLabel) return std::nullopt;
  std::string account = account_of_url(labels[0]);
  if (account.empty()) return std::nullopt;
  return UrlHost{std::string(labels[0]), std::string(labels[2]), std::move(account), name};
}

}  // namespace pileus::services::lambda
