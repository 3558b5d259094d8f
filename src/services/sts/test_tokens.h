// Keys, key sets and tokens for tests: elliptic curves, as they are quickly made.
#pragma once

#include <openssl/ecdsa.h>
#include <openssl/evp.h>

#include "base/json.h"
#include "base/text.h"

namespace pileus::services::sts::test {

inline std::string base64url(std::string_view bytes) {
  std::string text = to_base64(bytes);
  while (text.ends_with('=')) text.pop_back();
  for (char& c : text) c = c == '+' ? '-' : c == '/' ? '_' : c;
  return text;
}

// P-256; signs with ES256.
class Key {
 public:
  explicit Key(std::string id) : id_(std::move(id)), key_(EVP_EC_gen("P-256"), EVP_PKEY_free) {}

  Json jwk() const {
    unsigned char point[65];
    std::size_t size = 0;
    EVP_PKEY_get_octet_string_param(key_.get(), "encoded-pub-key", point, sizeof point, &size);
    const std::string text(reinterpret_cast<char*>(point), size);
    return {{"kty", "EC"},
            {"kid", id_},
            {"crv", "P-256"},
            {"x", base64url(text.substr(1, 32))},
            {"y", base64url(text.substr(33))}};
  }
  // A token of those claims; `header` over the usual one.
  std::string token(const Json& claims, JsonObject header = {}) const {
    header.emplace("alg", "ES256");
    header.emplace("kid", id_);
    const std::string text = base64url(to_text(header)) + "." + base64url(to_text(claims));
    return text + "." + base64url(sign(text));
  }

 private:
  std::string sign(std::string_view text) const {
    const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                          &EVP_MD_CTX_free);
    unsigned char der[128];
    std::size_t size = sizeof der;
    EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key_.get());
    EVP_DigestSign(context.get(), der, &size, reinterpret_cast<const unsigned char*>(text.data()),
                   text.size());
    const unsigned char* at = der;
    const std::unique_ptr<ECDSA_SIG, decltype(&ECDSA_SIG_free)> parts(
        d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(size)), &ECDSA_SIG_free);
    std::string out(64, '\0');
    auto* bytes = reinterpret_cast<unsigned char*>(out.data());
    BN_bn2binpad(ECDSA_SIG_get0_r(parts.get()), bytes, 32);
    BN_bn2binpad(ECDSA_SIG_get0_s(parts.get()), bytes + 32, 32);
    return out;
  }
  std::string id_;
  std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key_;
};

inline std::string key_set(const std::vector<const Key*>& keys) {
  JsonArray list;
  for (const auto* key : keys) list.push_back(key->jwk());
  return to_text(JsonObject{{"keys", std::move(list)}});
}

}  // namespace pileus::services::sts::test
