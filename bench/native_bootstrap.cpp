// The native handler that bench/invoke_bench.py measures: {"n": N} → {"n": N + 1}.
#include <cstdlib>

#include "pileus_lambda.h"

int main() {
  return pileus_lambda::run([](const pileus_lambda::Invocation& in) {
    const auto colon = in.body.find(':');
    const long n = colon == std::string::npos ? 0 : std::strtol(in.body.c_str() + colon + 1, nullptr, 10);
    return pileus_lambda::success("{\"n\":" + std::to_string(n + 1) + "}");
  });
}
