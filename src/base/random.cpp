#include "base/random.h"

#include <sys/random.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace pileus {

std::uint64_t Random::next() {
  std::uint64_t value = 0;
  fill({reinterpret_cast<std::uint8_t*>(&value), sizeof value});
  return value;
}

std::uint64_t Random::below(std::uint64_t limit) {
  const std::uint64_t cut = UINT64_MAX - UINT64_MAX % limit;  // rejects the biased tail
  for (;;) {
    const auto value = next();
    if (value < cut) return value % limit;
  }
}

double Random::unit() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }

void SystemRandom::fill(std::span<std::uint8_t> out) {
  // A per-thread pool: one system call for many small ids.
  static thread_local std::uint8_t pool[512];
  static thread_local std::size_t left = 0;
  std::size_t done = 0;
  while (done < out.size()) {
    if (left == 0) {
      std::size_t got = 0;
      while (got < sizeof pool) {
        const ssize_t n = getrandom(pool + got, sizeof pool - got, 0);
        if (n < 0 && errno != EINTR) std::abort();  // the kernel has no randomness: nothing is safe
        if (n > 0) got += static_cast<std::size_t>(n);
      }
      left = sizeof pool;
    }
    const std::size_t take = std::min(left, out.size() - done);
    std::uint8_t* from = pool + (sizeof pool - left);
    std::memcpy(out.data() + done, from, take);
    std::memset(from, 0, take);  // never handed out twice
    left -= take;
    done += take;
  }
}

void SeededRandom::fill(std::span<std::uint8_t> out) {
  std::lock_guard lock(mutex_);
  for (auto& byte : out) byte = static_cast<std::uint8_t>(engine_() >> 24);
}

namespace {
std::string from_alphabet(Random& random, std::size_t count, std::string_view alphabet) {
  // alphabets of 16 or 32 characters: a byte's low bits are uniform
  std::string out(count, '\0');
  random.fill({reinterpret_cast<std::uint8_t*>(out.data()), out.size()});
  for (auto& c : out) c = alphabet[static_cast<unsigned char>(c) % alphabet.size()];
  return out;
}
}  // namespace

std::string hex_id(Random& random, std::size_t digits) {
  return from_alphabet(random, digits, "0123456789abcdef");
}
std::string upper_id(Random& random, std::size_t characters) {
  return from_alphabet(random, characters, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567");
}
std::string uuid(Random& random) {
  std::string hex = hex_id(random, 32);
  hex[12] = '4';
  hex[16] = "89ab"[static_cast<unsigned char>(hex[16]) % 4];
  return hex.substr(0, 8) + '-' + hex.substr(8, 4) + '-' + hex.substr(12, 4) + '-' +
         hex.substr(16, 4) + '-' + hex.substr(20);
}

}  // namespace pileus
