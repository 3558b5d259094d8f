// The two primitives of Signature Version 4 over OpenSSL, with what is expensive made once a
// thread. Internal to the sigv4_* files.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <string_view>

struct evp_md_ctx_st;

namespace pileus::aws {

using Digest = std::array<unsigned char, 32>;
using SigningKey = Digest;

inline constexpr std::string_view kEmptySha256 =
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

Digest sha256(std::string_view bytes);
Digest hmac_sha256(std::string_view key, std::string_view bytes);
inline std::string_view bytes_of(const Digest& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}
std::string sha256_hex(std::string_view bytes);

// SHA-256 of bytes that come piece by piece.
class Sha256 {
 public:
  Sha256();
  void update(std::string_view bytes);
  Digest finish();  // and starts anew

 private:
  struct Free {
    void operator()(evp_md_ctx_st* context) const;
  };
  std::unique_ptr<evp_md_ctx_st, Free> context_;
};

// In constant time for texts of one length.
bool same_bytes(std::string_view a, std::string_view b);

// Signature Version 4A: the key pair comes from the secret (NIST SP 800-108, counter mode).
// The signature is DER over SHA-256 of `message`.
bool verify_ecdsa(std::string_view access_key_id, std::string_view secret, std::string_view message,
                  std::string_view der_signature);
std::string sign_ecdsa(std::string_view access_key_id, std::string_view secret,
                       std::string_view message);
std::string ecdsa_public_key(std::string_view access_key_id, std::string_view secret);  // X || Y

}  // namespace pileus::aws
