// What things cost. The list is data: JSON in the form of kDefaultPrices, which a user may replace;
// "provisioned", "streamed_gb" and "free_tier" are AWS's where it leaves them out.
// Pure; immutable once read.
#pragma once

#include <limits>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace pileus::services::billing {

// A price per GB-second up to so many GB-seconds of an account in a month.
struct Tier {
  double up_to = std::numeric_limits<double>::infinity();
  double price = 0;
};
struct LambdaPrices {
  double request = 0;               // each
  std::vector<Tier> x86_64, arm64;  // GB-seconds, cheapest last
  double storage_gb_second = 0;     // of /tmp over 512 MB
  struct Provisioned {
    double gb_second = 0;           // while it stands ready
    double duration_gb_second = 0;  // and runs events
  };
  Provisioned provisioned_x86_64, provisioned_arm64;
  double streamed_gb = 0;  // of streamed answers, what is over 6 MB of each
};
// What an account has free each month; not for functions with provisioned concurrency.
struct FreeTier {
  bool applies = false;  // else it is only said what it would take off
  double requests = 0, gb_seconds = 0, streamed_gb = 0;
};
struct Prices {
  std::string region, currency, source;
  LambdaPrices lambda;
  FreeTier free_tier;
};

extern const std::string_view kDefaultPrices;  // us-east-1
// errc::kInvalid names what is missing or wrong.
Result<Prices> parse_prices(std::string_view json);
const Prices& default_prices();

}  // namespace pileus::services::billing
