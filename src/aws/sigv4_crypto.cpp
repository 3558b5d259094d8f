#include "aws/sigv4_crypto.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/obj_mac.h>
#include <openssl/param_build.h>

#include <stdexcept>

#include "base/text.h"

namespace pileus::aws {
namespace {

// OpenSSL refuses these only when it is broken or out of memory.
void must(bool ok) {
  if (!ok) throw std::runtime_error("OpenSSL failed");
}

const EVP_MD* sha256_method() {
  static const EVP_MD* const method = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  must(method != nullptr);
  return method;
}

template <auto function>
struct Deleter {
  void operator()(auto* object) const { function(object); }
};
using MacContext = std::unique_ptr<EVP_MAC_CTX, Deleter<EVP_MAC_CTX_free>>;
using Number = std::unique_ptr<BIGNUM, Deleter<BN_clear_free>>;
using Group = std::unique_ptr<EC_GROUP, Deleter<EC_GROUP_free>>;
using Point = std::unique_ptr<EC_POINT, Deleter<EC_POINT_free>>;
using Key = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY_free>>;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, Deleter<EVP_PKEY_CTX_free>>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, Deleter<EVP_MD_CTX_free>>;

MacContext new_mac() {
  static EVP_MAC* const method = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
  must(method != nullptr);
  MacContext context(EVP_MAC_CTX_new(method));
  must(context != nullptr);
  char digest[] = "SHA256";
  const OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
                               OSSL_PARAM_construct_end()};
  must(EVP_MAC_CTX_set_params(context.get(), params) == 1);
  return context;
}

const unsigned char* raw(std::string_view bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

}  // namespace

Digest sha256(std::string_view bytes) {
  thread_local Sha256 hash;
  hash.update(bytes);
  return hash.finish();
}

std::string sha256_hex(std::string_view bytes) { return to_hex(bytes_of(sha256(bytes))); }

Digest hmac_sha256(std::string_view key, std::string_view bytes) {
  thread_local const MacContext context = new_mac();
  Digest out;
  std::size_t size = 0;
  // A null key would keep the last one.
  static const unsigned char kNoKey = 0;
  must(EVP_MAC_init(context.get(), key.empty() ? &kNoKey : raw(key), key.size(), nullptr) == 1 &&
       EVP_MAC_update(context.get(), raw(bytes), bytes.size()) == 1 &&
       EVP_MAC_final(context.get(), out.data(), &size, out.size()) == 1 && size == out.size());
  return out;
}

void Sha256::Free::operator()(evp_md_ctx_st* context) const { EVP_MD_CTX_free(context); }

Sha256::Sha256() : context_(EVP_MD_CTX_new()) {
  must(context_ && EVP_DigestInit_ex2(context_.get(), sha256_method(), nullptr) == 1);
}
void Sha256::update(std::string_view bytes) {
  must(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1);
}
Digest Sha256::finish() {
  Digest out;
  unsigned size = 0;
  must(EVP_DigestFinal_ex(context_.get(), out.data(), &size) == 1 && size == out.size() &&
       EVP_DigestInit_ex2(context_.get(), sha256_method(), nullptr) == 1);
  return out;
}

bool same_bytes(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

namespace {

// The private number: a candidate c <= n - 2 from the counter-mode derivation, plus one.
Number private_number(const EC_GROUP* group, std::string_view access_key_id,
                      std::string_view secret) {
  const std::string input_key = str("AWS4A", secret);
  Number limit(BN_dup(EC_GROUP_get0_order(group)));
  must(limit && BN_sub_word(limit.get(), 2) == 1);
  for (unsigned char counter = 1; counter != 0; ++counter) {
    std::string input("\0\0\0\1AWS4-ECDSA-P256-SHA256\0", 27);
    input += access_key_id;
    input += static_cast<char>(counter);
    input += std::string_view("\0\0\1\0", 4);  // 256 bits
    const Digest candidate = hmac_sha256(input_key, input);
    Number number(BN_bin2bn(candidate.data(), candidate.size(), nullptr));
    must(number != nullptr);
    if (BN_cmp(number.get(), limit.get()) > 0) continue;
    must(BN_add_word(number.get(), 1) == 1);
    return number;
  }
  throw std::runtime_error("no key pair for this secret");  // probability 2^-8000
}

struct KeyPair {
  Key key;
  std::string public_point;  // 04 || X || Y
};
KeyPair key_pair(std::string_view access_key_id, std::string_view secret) {
  const Group group(EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1));
  must(group != nullptr);
  const Number number = private_number(group.get(), access_key_id, secret);
  const Point point(EC_POINT_new(group.get()));
  must(point &&
       EC_POINT_mul(group.get(), point.get(), number.get(), nullptr, nullptr, nullptr) == 1);
  std::string encoded(65, '\0');
  must(EC_POINT_point2oct(group.get(), point.get(), POINT_CONVERSION_UNCOMPRESSED,
                          reinterpret_cast<unsigned char*>(encoded.data()), encoded.size(),
                          nullptr) == 65);
  std::unique_ptr<OSSL_PARAM_BLD, Deleter<OSSL_PARAM_BLD_free>> build(OSSL_PARAM_BLD_new());
  must(build &&
       OSSL_PARAM_BLD_push_utf8_string(build.get(), OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0) &&
       OSSL_PARAM_BLD_push_BN(build.get(), OSSL_PKEY_PARAM_PRIV_KEY, number.get()) &&
       OSSL_PARAM_BLD_push_octet_string(build.get(), OSSL_PKEY_PARAM_PUB_KEY, encoded.data(),
                                        encoded.size()));
  std::unique_ptr<OSSL_PARAM, Deleter<OSSL_PARAM_free>> params(
      OSSL_PARAM_BLD_to_param(build.get()));
  const KeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr));
  EVP_PKEY* key = nullptr;
  must(params && context && EVP_PKEY_fromdata_init(context.get()) == 1 &&
       EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_KEYPAIR, params.get()) == 1);
  return {Key(key), std::move(encoded)};
}

}  // namespace

bool verify_ecdsa(std::string_view access_key_id, std::string_view secret, std::string_view message,
                  std::string_view der_signature) {
  const KeyPair pair = key_pair(access_key_id, secret);
  const DigestContext context(EVP_MD_CTX_new());
  must(context &&
       EVP_DigestVerifyInit(context.get(), nullptr, sha256_method(), nullptr, pair.key.get()) == 1);
  return EVP_DigestVerify(context.get(), raw(der_signature), der_signature.size(), raw(message),
                          message.size()) == 1;
}

std::string sign_ecdsa(std::string_view access_key_id, std::string_view secret,
                       std::string_view message) {
  const KeyPair pair = key_pair(access_key_id, secret);
  const DigestContext context(EVP_MD_CTX_new());
  std::size_t size = 0;
  must(context &&
       EVP_DigestSignInit(context.get(), nullptr, sha256_method(), nullptr, pair.key.get()) == 1 &&
       EVP_DigestSign(context.get(), nullptr, &size, raw(message), message.size()) == 1);
  std::string out(size, '\0');
  must(EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(out.data()), &size,
                      raw(message), message.size()) == 1);
  out.resize(size);
  return out;
}

std::string ecdsa_public_key(std::string_view access_key_id, std::string_view secret) {
  return key_pair(access_key_id, secret).public_point.substr(1);
}

}  // namespace pileus::aws
