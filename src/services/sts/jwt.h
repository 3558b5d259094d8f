// JSON Web Tokens and the keys that verify them (RFC 7515 to 7518): RS256, RS384, RS512, ES256,
// ES384, ES512, as AWS takes them. OpenSSL does the arithmetic. Pure; any thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

using EVP_PKEY = struct evp_pkey_st;

namespace pileus::services::sts {

// A token taken apart; nothing of it is verified.
struct Jwt {
  std::string algorithm, key_id;
  Json claims;              // an object
  std::string signed_text;  // what the signature is over
  std::string signature;    // bytes
};
// Nothing for what is no signed token: three parts, a header with `alg` and without `crit`, claims.
std::optional<Jwt> parse_jwt(std::string_view token);

struct Jwk {
  std::string key_id;
  std::string type;               // "RSA", "EC"
  std::string curve;              // EC: "P-256" …
  std::string algorithm;          // "" where the key does not say
  std::shared_ptr<EVP_PKEY> key;  // shared by the copies of a set
};
inline constexpr std::size_t kMaxKeysOfType = 100;  // AWS's bound, for RSA and EC each
// The keys of a set that can verify signatures; keys of other kinds are left out. errc::kInvalid
// for what is no set, errc::kLimit for too many.
Result<std::vector<Jwk>> parse_jwks(std::string_view text);

// False also where the token's algorithm is not one of the key's.
bool verify(const Jwt& token, const Jwk& key);

}  // namespace pileus::services::sts
