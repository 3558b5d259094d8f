#include "services/sts/jwt.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include "base/text.h"

namespace pileus::services::sts {

namespace {

constexpr std::size_t kJsonDepth = 20;
constexpr int kLeastRsaBits = 2048, kMostRsaBits = 8192;

template <auto kFree>
struct Freed {
  template <class T>
  void operator()(T* object) const {
    kFree(object);
  }
};
template <class T, auto kFree>
using Owned = std::unique_ptr<T, Freed<kFree>>;
using Number = Owned<BIGNUM, BN_free>;

struct Algorithm {
  std::string_view name, type, curve;
  const EVP_MD* (*digest)();
  std::size_t half;  // bytes of r and of s
};
constexpr Algorithm kAlgorithms[] = {
    {"RS256", "RSA", "", EVP_sha256, 0},      {"RS384", "RSA", "", EVP_sha384, 0},
    {"RS512", "RSA", "", EVP_sha512, 0},      {"ES256", "EC", "P-256", EVP_sha256, 32},
    {"ES384", "EC", "P-384", EVP_sha384, 48}, {"ES512", "EC", "P-521", EVP_sha512, 66},
};

// Unpadded base64 of the alphabet for URLs, in its one canonical form.
std::optional<std::string> from_base64url(std::string_view text) {
  std::string standard(text);
  for (char& c : standard) {
    if (c == '+' || c == '/' || c == '=') return std::nullopt;
    c = c == '-' ? '+' : c == '_' ? '/' : c;
  }
  while (standard.size() % 4 != 0) standard += '=';
  auto bytes = from_base64(standard);
  if (!bytes || to_base64(*bytes) != standard) return std::nullopt;
  return bytes;
}

const unsigned char* bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

Number number(const Json& jwk, std::string_view member) {
  const auto raw = from_base64url(find_string(jwk, member));
  if (!raw || raw->empty() || raw->size() > kMostRsaBits / 8) return nullptr;
  return Number(BN_bin2bn(bytes(*raw), static_cast<int>(raw->size()), nullptr));
}

std::shared_ptr<EVP_PKEY> make_key(const char* type, OSSL_PARAM_BLD* builder) {
  const Owned<OSSL_PARAM, OSSL_PARAM_free> params(OSSL_PARAM_BLD_to_param(builder));
  const Owned<EVP_PKEY_CTX, EVP_PKEY_CTX_free> context(
      EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  EVP_PKEY* key = nullptr;
  if (!params || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, params.get()) != 1)
    return nullptr;
  return {key, EVP_PKEY_free};
}

std::shared_ptr<EVP_PKEY> rsa_key(const Json& jwk) {
  const Number n = number(jwk, "n"), e = number(jwk, "e");
  if (!n || !e || BN_num_bits(n.get()) < kLeastRsaBits || BN_num_bits(n.get()) > kMostRsaBits ||
      BN_num_bits(e.get()) > 64)
    return nullptr;
  const Owned<OSSL_PARAM_BLD, OSSL_PARAM_BLD_free> builder(OSSL_PARAM_BLD_new());
  OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get());
  OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get());
  return make_key("RSA", builder.get());
}

std::shared_ptr<EVP_PKEY> ec_key(const Json& jwk, const std::string& curve) {
  const auto x = from_base64url(find_string(jwk, "x")), y = from_base64url(find_string(jwk, "y"));
  const std::size_t size = curve == "P-256"   ? 32
                           : curve == "P-384" ? 48
                           : curve == "P-521" ? 66
                                              : 0;
  if (!x || !y || size == 0 || x->size() != size || y->size() != size) return nullptr;
  const std::string point = '\x04' + *x + *y;  // OpenSSL checks that it is on the curve
  const Owned<OSSL_PARAM_BLD, OSSL_PARAM_BLD_free> builder(OSSL_PARAM_BLD_new());
  OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, curve.c_str(), 0);
  OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                   point.size());
  return make_key("EC", builder.get());
}

// r and s side by side, as tokens have them, in the DER that OpenSSL wants; "" for another size.
std::string to_der(std::string_view signature, std::size_t half) {
  if (signature.size() != 2 * half) return {};
  const Owned<ECDSA_SIG, ECDSA_SIG_free> parts(ECDSA_SIG_new());
  BIGNUM* r = BN_bin2bn(bytes(signature), static_cast<int>(half), nullptr);
  BIGNUM* s = BN_bin2bn(bytes(signature) + half, static_cast<int>(half), nullptr);
  ECDSA_SIG_set0(parts.get(), r, s);
  std::string der(static_cast<std::size_t>(std::max(0, i2d_ECDSA_SIG(parts.get(), nullptr))), '\0');
  auto* out = reinterpret_cast<unsigned char*>(der.data());
  i2d_ECDSA_SIG(parts.get(), &out);
  return der;
}

}  // namespace

std::optional<Jwt> parse_jwt(std::string_view token) {
  const auto parts = split(token, '.');
  if (parts.size() != 3) return std::nullopt;
  const auto header_text = from_base64url(parts[0]);
  const auto claims_text = from_base64url(parts[1]);
  auto signature = from_base64url(parts[2]);
  if (!header_text || !claims_text || !signature || signature->empty()) return std::nullopt;
  const auto header = parse_json(*header_text, kJsonDepth);
  auto claims = parse_json(*claims_text, kJsonDepth);
  if (!header || !header->is_object() || !claims || !claims->is_object()) return std::nullopt;
  if (find(*header, "crit")) return std::nullopt;  // extensions that must be understood
  Jwt out;
  out.algorithm = find_string(*header, "alg");
  out.key_id = find_string(*header, "kid");
  if (out.algorithm.empty()) return std::nullopt;
  out.claims = std::move(*claims);
  out.signed_text = token.substr(0, parts[0].size() + 1 + parts[1].size());
  out.signature = std::move(*signature);
  return out;
}

Result<std::vector<Jwk>> parse_jwks(std::string_view text) {
  TRY_ASSIGN(const Json set, parse_json(text, kJsonDepth));
  const Json* keys = find(set, "keys");
  if (!keys || !keys->is_array()) return fail(std::string(errc::kInvalid), "it has no keys");
  std::vector<Jwk> out;
  std::map<std::string, std::size_t> counts;
  for (const Json& jwk : keys->as_array()) {
    Jwk one;
    one.key_id = find_string(jwk, "kid");
    one.type = find_string(jwk, "kty");
    one.curve = find_string(jwk, "crv");
    one.algorithm = find_string(jwk, "alg");
    if (one.type != "RSA" && one.type != "EC") continue;
    if (++counts[one.type] > kMaxKeysOfType)
      return fail(std::string(errc::kLimit), str("it has more than ", kMaxKeysOfType, " keys"));
    if (find_string(jwk, "use", "sig") != "sig") continue;
    one.key = one.type == "RSA" ? rsa_key(jwk) : ec_key(jwk, one.curve);
    if (one.key) out.push_back(std::move(one));
  }
  return out;
}

bool verify(const Jwt& token, const Jwk& key) {
  const auto* algorithm = std::ranges::find(kAlgorithms, token.algorithm, &Algorithm::name);
  if (algorithm == std::end(kAlgorithms) || algorithm->type != key.type) return false;
  if (!algorithm->curve.empty() && algorithm->curve != key.curve) return false;
  if (!key.algorithm.empty() && key.algorithm != token.algorithm) return false;
  const bool ec = algorithm->half > 0;
  const std::string signature = ec ? to_der(token.signature, algorithm->half) : token.signature;
  const Owned<EVP_MD_CTX, EVP_MD_CTX_free> context(EVP_MD_CTX_new());
  if (EVP_DigestVerifyInit(context.get(), nullptr, algorithm->digest(), nullptr, key.key.get()) !=
      1)
    return false;
  const bool good = EVP_DigestVerify(context.get(), bytes(signature), signature.size(),
                                     bytes(token.signed_text), token.signed_text.size()) == 1;
  ERR_clear_error();
  return good;
}

}  // namespace pileus::services::sts
