// Sealer: small secrets kept or handed out encrypted and authenticated (AES-256-GCM, a random
// 96-bit nonce each, so at most 2^32 seals per key). The key is derived from a master key and a
// purpose, so that what one purpose sealed no other opens. Immutable; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/random.h"

namespace pileus::aws {

using MasterKey = std::array<std::uint8_t, 32>;

class Sealer {
 public:
  static constexpr std::size_t kOverhead = 1 + 12 + 16;  // version, nonce, tag

  Sealer(const MasterKey& master, std::string_view purpose, Random& random);
  ~Sealer();
  Sealer(const Sealer&) = delete;
  Sealer& operator=(const Sealer&) = delete;

  // Bytes. `bound` is not kept but must be given again to open (the id the secret belongs to).
  std::string seal(std::string_view plain, std::string_view bound) const;
  // Nothing for anything that this key did not seal for `bound`.
  std::optional<std::string> open(std::string_view sealed, std::string_view bound) const;

 private:
  MasterKey key_;
  Random& random_;
};

}  // namespace pileus::aws
