// Counts the primes below a number that the event names: {"below": 100000}.
#include <cstdlib>

#include "pileus_lambda.h"

namespace {

long number_after(const std::string& json, const std::string& key, long otherwise) {
  const auto at = json.find("\"" + key + "\"");
  if (at == std::string::npos) return otherwise;
  const auto colon = json.find(':', at);
  return colon == std::string::npos ? otherwise : std::strtol(json.c_str() + colon + 1, nullptr, 10);
}

long count_primes(long below) {
  std::vector<bool> composite(static_cast<std::size_t>(below), false);
  long count = 0;
  for (long n = 2; n < below; ++n) {
    if (composite[static_cast<std::size_t>(n)]) continue;
    ++count;
    for (long m = n * n; m < below; m += n) composite[static_cast<std::size_t>(m)] = true;
  }
  return count;
}

pileus_lambda::Answer handle(const pileus_lambda::Invocation& in) {
  const long below = number_after(in.body, "below", 100000);
  if (below < 2 || below > 100'000'000)
    return pileus_lambda::failure("BadRequest", "\"below\" must be between 2 and 100000000");
  const long primes = count_primes(below);
  std::printf("%ld primes below %ld\n", primes, below);
  return pileus_lambda::success("{\"below\": " + std::to_string(below) +
                                ", \"primes\": " + std::to_string(primes) + "}");
}

}  // namespace

int main() { return pileus_lambda::run(handle); }
