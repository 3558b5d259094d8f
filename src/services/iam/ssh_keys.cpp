#include "services/iam/ssh_keys.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>

#include <memory>

#include "base/text.h"

namespace pileus::services::iam {

namespace {

template <auto kFree>
struct Freed {
  template <class T>
  void operator()(T* object) const {
    kFree(object);
  }
};
using Bio = std::unique_ptr<BIO, Freed<BIO_free_all>>;
using Key = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;
using Number = std::unique_ptr<BIGNUM, Freed<BN_free>>;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, Freed<EVP_PKEY_CTX_free>>;
using Builder = std::unique_ptr<OSSL_PARAM_BLD, Freed<OSSL_PARAM_BLD_free>>;
using Params = std::unique_ptr<OSSL_PARAM, Freed<OSSL_PARAM_free>>;

constexpr std::string_view kRsa = "ssh-rsa";
constexpr int kLeastBits = 2048, kMostBits = 16384;

std::unexpected<Error> invalid(std::string message) {
  return fail("InvalidPublicKey", std::move(message), 400);
}

// RFC 4251, 5: a length of four bytes and as many bytes.
std::optional<std::string_view> take(std::string_view& blob) {
  if (blob.size() < 4) return std::nullopt;
  std::size_t size = 0;
  for (int i = 0; i < 4; ++i) size = size << 8 | static_cast<unsigned char>(blob[i]);
  if (blob.size() - 4 < size) return std::nullopt;
  const auto field = blob.substr(4, size);
  blob.remove_prefix(4 + size);
  return field;
}
void give(std::string& blob, std::string_view field) {
  for (int shift = 24; shift >= 0; shift -= 8)
    blob += static_cast<char>((field.size() >> shift) & 0xff);
  blob += field;
}
void give(std::string& blob, const BIGNUM* number) {
  std::string bytes(static_cast<std::size_t>(BN_num_bytes(number)), '\0');
  BN_bn2bin(number, reinterpret_cast<unsigned char*>(bytes.data()));
  if (!bytes.empty() && (bytes[0] & 0x80)) bytes.insert(bytes.begin(), '\0');
  give(blob, bytes);
}

Number number_of(std::string_view bytes) {
  return Number(BN_bin2bn(reinterpret_cast<const unsigned char*>(bytes.data()),
                          static_cast<int>(bytes.size()), nullptr));
}

Key make_key(const BIGNUM* modulus, const BIGNUM* exponent) {
  const Builder builder(OSSL_PARAM_BLD_new());
  OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, modulus);
  OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, exponent);
  const Params params(OSSL_PARAM_BLD_to_param(builder.get()));
  const KeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr));
  EVP_PKEY* key = nullptr;
  if (EVP_PKEY_fromdata_init(context.get()) == 1)
    EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, params.get());
  ERR_clear_error();
  return Key(key);
}

// RFC 4253, 6.6.
Key key_of_ssh(std::string_view text) {
  const auto parts = split(text, ' ');
  const auto blob = parts.size() > 1 ? from_base64(trim(parts[1])) : std::nullopt;
  if (!blob) return nullptr;
  std::string_view rest = *blob;
  const auto type = take(rest);
  const auto exponent = type == kRsa ? take(rest) : std::nullopt;
  const auto modulus = exponent ? take(rest) : std::nullopt;
  if (!modulus || !rest.empty()) return nullptr;
  return make_key(number_of(*modulus).get(), number_of(*exponent).get());
}

Key key_of_pem(const std::string& text) {
  const Bio in(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  Key key(PEM_read_bio_PUBKEY(in.get(), nullptr, nullptr, nullptr));
  ERR_clear_error();
  return key;
}

std::string blob_of(const EVP_PKEY* key) {
  BIGNUM *modulus = nullptr, *exponent = nullptr;
  EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &modulus);
  EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &exponent);
  const Number n(modulus), e(exponent);
  std::string blob;
  if (!n || !e) return blob;
  give(blob, kRsa);
  give(blob, e.get());
  give(blob, n.get());
  return blob;
}

std::string pem_of(EVP_PKEY* key) {
  const Bio out(BIO_new(BIO_s_mem()));
  PEM_write_bio_PUBKEY(out.get(), key);
  char* data = nullptr;
  const long size = BIO_get_mem_data(out.get(), &data);
  return std::string(trim({data, static_cast<std::size_t>(size)}));
}

std::string fingerprint_of(const std::string& blob) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  EVP_Digest(blob.data(), blob.size(), digest, &size, EVP_md5(), nullptr);
  std::string out;
  for (unsigned i = 0; i < size; ++i)
    out += str(i ? ":" : "", to_hex({reinterpret_cast<const char*>(digest + i), 1}));
  return out;
}

}  // namespace

Result<SshKey> parse_ssh_key(const std::string& given) {
  const std::string text(trim(given));
  const bool ssh = text.starts_with("ssh-rsa ");
  if (!ssh && !text.starts_with("-----BEGIN PUBLIC KEY-----"))
    return fail("UnrecognizedPublicKeyEncoding",
                "The public key must be encoded in ssh-rsa format or PEM format.", 400);
  const Key key = ssh ? key_of_ssh(text) : key_of_pem(text);
  if (!key || EVP_PKEY_is_a(key.get(), "RSA") != 1)
    return invalid("The public key is malformed or otherwise invalid.");
  const int bits = EVP_PKEY_get_bits(key.get());
  if (bits < kLeastBits || bits > kMostBits)
    return invalid(str("The public key has ", bits, " bits; it must have ", kLeastBits, " to ",
                       kMostBits, "."));
  const std::string blob = blob_of(key.get());
  return SshKey{str(kRsa, ' ', to_base64(blob)), pem_of(key.get()), fingerprint_of(blob)};
}

}  // namespace pileus::services::iam
