#include "services/iam/passwords.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

namespace pileus::services::iam {

namespace {

std::unexpected<Error> violation(std::string message) {
  return fail("PasswordPolicyViolation", std::move(message), 400);
}

constexpr std::string_view kSymbols = "!@#$%^&*()_+-=[]{}|'";

struct Kinds {
  bool upper = false, lower = false, number = false, symbol = false;
  int count() const { return upper + lower + number + symbol; }
};
Kinds kinds_of(std::string_view password) {
  Kinds kinds;
  for (const char c : password) {
    kinds.upper |= c >= 'A' && c <= 'Z';
    kinds.lower |= c >= 'a' && c <= 'z';
    kinds.number |= c >= '0' && c <= '9';
    kinds.symbol |= kSymbols.find(c) != kSymbols.npos;
  }
  return kinds;
}

}  // namespace

Result<Unit> check_password(const std::optional<PasswordPolicyRecord>& policy,
                            std::string_view password) {
  const Kinds has = kinds_of(password);
  const std::size_t length = utf8_length(password);
  if (!policy) {
    if (length < 8) return violation("Password should have a minimum length of 8");
    if (has.count() < 3)
      return violation("Password does not conform to the account password policy.");
    return Unit{};
  }
  if (length < static_cast<std::size_t>(policy->minimum_length))
    return violation(str("Password should have a minimum length of ", policy->minimum_length));
  if (policy->symbols && !has.symbol) return violation("Password should have at least one symbol");
  if (policy->numbers && !has.number) return violation("Password should have at least one number");
  if (policy->uppercase && !has.upper)
    return violation("Password should have at least one uppercase letter");
  if (policy->lowercase && !has.lower)
    return violation("Password should have at least one lowercase letter");
  return Unit{};
}

std::string hash_password(std::string_view salt, std::string_view password) {
  std::string out(32, '\0');
  constexpr std::uint64_t kN = 1 << 14, kR = 8, kP = 1, kMemory = 64 << 20;
  EVP_PBE_scrypt(password.data(), password.size(),
                 reinterpret_cast<const unsigned char*>(salt.data()), salt.size(), kN, kR, kP,
                 kMemory, reinterpret_cast<unsigned char*>(out.data()), out.size());
  return out;
}

bool same_hash(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace pileus::services::iam
