#include "services/iam/totp.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>

namespace pileus::services::iam {

namespace {

// RFC 4648; nothing where a character is not of the alphabet.
std::optional<std::string> from_base32(std::string_view text) {
  std::string out;
  unsigned buffer = 0, bits = 0;
  for (const char c : text) {
    const bool letter = c >= 'A' && c <= 'Z';
    if (!letter && (c < '2' || c > '7')) return std::nullopt;
    buffer = (buffer << 5) | static_cast<unsigned>(letter ? c - 'A' : c - '2' + 26);
    bits += 5;
    if (bits < 8) continue;
    bits -= 8;
    out += static_cast<char>((buffer >> bits) & 0xff);
  }
  return out;
}

bool same(std::string_view a, std::string_view b) {
  return a.size() == b.size() && !a.empty() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace

// RFC 4226, 5.3.
std::string totp_code(std::string_view seed, std::int64_t step) {
  const auto key = from_base32(seed);
  if (!key || key->empty()) return "";
  std::array<unsigned char, 8> counter{};
  for (std::size_t i = 0; i < counter.size(); ++i)
    counter[i] = static_cast<unsigned char>(static_cast<std::uint64_t>(step) >> (56 - 8 * i));
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  HMAC(EVP_sha1(), key->data(), static_cast<int>(key->size()), counter.data(), counter.size(),
       digest.data(), &size);
  const std::size_t at = digest[size - 1] & 0xf;
  const unsigned value = (digest[at] & 0x7fu) << 24 | digest[at + 1] << 16 | digest[at + 2] << 8 |
                         static_cast<unsigned>(digest[at + 3]);
  std::string code = std::to_string(value % 1'000'000);
  return std::string(6 - code.size(), '0') + code;
}

std::optional<std::int64_t> match_codes(std::string_view seed, std::string_view first,
                                        std::string_view second, std::int64_t now,
                                        std::int64_t window) {
  std::string before = totp_code(seed, now - window - 1);
  for (std::int64_t step = now - window; step <= now + window; ++step) {
    std::string code = totp_code(seed, step);
    if (same(before, first) && same(code, second)) return step;
    before = std::move(code);
  }
  return std::nullopt;
}

std::optional<std::int64_t> match_code(std::string_view seed, std::string_view code,
                                       std::int64_t now, std::int64_t last) {
  for (std::int64_t step = now - kVerifyWindow; step <= now + kVerifyWindow; ++step)
    if (step > last && same(totp_code(seed, step), code)) return step;
  return std::nullopt;
}

}  // namespace pileus::services::iam
