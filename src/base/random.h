// Random: chance is given. SystemRandom is the kernel's; SeededRandom repeats for tests and the
// simulator. Any thread.
#pragma once

#include <cstdint>
#include <mutex>
#include <random>
#include <span>
#include <string>

namespace pileus {

class Random {
 public:
  virtual ~Random() = default;
  virtual void fill(std::span<std::uint8_t> out) = 0;
  std::uint64_t next();                      // uniform over 64 bits
  std::uint64_t below(std::uint64_t limit);  // uniform in [0, limit), limit > 0
  double unit();                             // uniform in [0, 1)
};

class SystemRandom final : public Random {
 public:
  void fill(std::span<std::uint8_t> out) override;
};

class SeededRandom final : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed) : engine_(seed) {}
  void fill(std::span<std::uint8_t> out) override;

 private:
  std::mutex mutex_;
  std::mt19937_64 engine_;
};

// Ids in AWS's forms.
std::string uuid(Random& random);                              // 8-4-4-4-12 lower-case hex, v4
std::string hex_id(Random& random, std::size_t digits);        // lower-case hex
std::string upper_id(Random& random, std::size_t characters);  // A-Z2-7, as in access key ids

}  // namespace pileus
