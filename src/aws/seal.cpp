#include "aws/seal.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <memory>
#include <stdexcept>

namespace pileus::aws {

namespace {

constexpr char kVersion = 1;
constexpr std::size_t kNonce = 12;
constexpr std::size_t kTag = 16;

using Cipher = std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)>;

Cipher make_cipher() {
  Cipher cipher(EVP_CIPHER_CTX_new(), &EVP_CIPHER_CTX_free);
  if (!cipher) throw std::bad_alloc();
  return cipher;
}
const unsigned char* bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* bytes(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

}  // namespace

Sealer::Sealer(const MasterKey& master, std::string_view purpose, Random& random)
    : random_(random) {
  unsigned int size = 0;
  if (!HMAC(EVP_sha256(), master.data(), static_cast<int>(master.size()), bytes(purpose),
            purpose.size(), key_.data(), &size) ||
      size != key_.size())
    throw std::runtime_error("OpenSSL could not derive a key");
}

Sealer::~Sealer() { OPENSSL_cleanse(key_.data(), key_.size()); }

std::string Sealer::seal(std::string_view plain, std::string_view bound) const {
  std::string out(kOverhead + plain.size(), '\0');
  out[0] = kVersion;
  unsigned char* nonce = bytes(out) + 1;
  unsigned char* text = nonce + kNonce;
  random_.fill({nonce, kNonce});
  auto cipher = make_cipher();
  int size = 0;
  const bool sealed =
      EVP_EncryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, key_.data(), nonce) == 1 &&
      EVP_EncryptUpdate(cipher.get(), nullptr, &size, bytes(bound),
                        static_cast<int>(bound.size())) == 1 &&
      EVP_EncryptUpdate(cipher.get(), text, &size, bytes(plain), static_cast<int>(plain.size())) ==
          1 &&
      EVP_EncryptFinal_ex(cipher.get(), text + size, &size) == 1 &&
      EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_GET_TAG, kTag, text + plain.size()) == 1;
  if (!sealed) throw std::runtime_error("OpenSSL could not encrypt");
  return out;
}

std::optional<std::string> Sealer::open(std::string_view sealed, std::string_view bound) const {
  if (sealed.size() < kOverhead || sealed[0] != kVersion) return std::nullopt;
  const unsigned char* nonce = bytes(sealed) + 1;
  const unsigned char* text = nonce + kNonce;
  std::string out(sealed.size() - kOverhead, '\0');
  auto cipher = make_cipher();
  int size = 0;
  const bool opened =
      EVP_DecryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, key_.data(), nonce) == 1 &&
      EVP_DecryptUpdate(cipher.get(), nullptr, &size, bytes(bound),
                        static_cast<int>(bound.size())) == 1 &&
      EVP_DecryptUpdate(cipher.get(), bytes(out), &size, text, static_cast<int>(out.size())) == 1 &&
      EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_SET_TAG, kTag,
                          const_cast<unsigned char*>(text + out.size())) == 1 &&
      EVP_DecryptFinal_ex(cipher.get(), bytes(out) + size, &size) == 1;
  if (!opened) return std::nullopt;
  return out;
}

}  // namespace pileus::aws
