#include "services/billing/prices.h"

#include "base/json.h"
#include "base/text.h"

namespace pileus::services::billing {

const std::string_view kDefaultPrices = R"({
  "region": "us-east-1",
  "currency": "USD",
  "source": "AWS's public on-demand prices",
  "lambda": {
    "per_million_requests": 0.20,
    "gb_second": {
      "x86_64": [
        {"up_to": 6000000000, "price": 0.0000166667},
        {"up_to": 15000000000, "price": 0.0000150000},
        {"price": 0.0000133334}
      ],
      "arm64": [
        {"up_to": 7500000000, "price": 0.0000133334},
        {"up_to": 18750000000, "price": 0.0000120001},
        {"price": 0.0000106667}
      ]
    },
    "storage_gb_second": 0.0000000309
  }
})";

namespace {

Error wrong(std::string_view what) {
  return Error(std::string(errc::kInvalid),
               str("the price list: ", what, " is missing or not a number"));
}

Result<double> number(const Json& object, std::string_view key) {
  const Json* value = find(object, key);
  if (!value || !value->is_number()) return fail(wrong(key));
  const double out = value->to_number<double>();
  if (!(out >= 0)) return fail(wrong(key));
  return out;
}

Result<std::vector<Tier>> tiers(const Json& by_architecture, std::string_view architecture) {
  const Json* list = find(by_architecture, architecture);
  if (!list || !list->is_array() || list->get_array().empty()) return fail(wrong(architecture));
  std::vector<Tier> out;
  for (const auto& entry : list->get_array()) {
    Tier tier;
    TRY_ASSIGN(tier.price, number(entry, "price"));
    if (find(entry, "up_to")) {
      TRY_ASSIGN(tier.up_to, number(entry, "up_to"));
    }
    if (!out.empty() && tier.up_to <= out.back().up_to)
      return fail(wrong("a tier's up_to, above the one before,"));
    out.push_back(tier);
  }
  out.back().up_to = std::numeric_limits<double>::infinity();
  return out;
}

}  // namespace

Result<Prices> parse_prices(std::string_view text) {
  TRY_ASSIGN(const Json json, parse_json(text));
  Prices out;
  out.region = find_string(json, "region");
  out.currency = find_string(json, "currency", "USD");
  out.source = find_string(json, "source");
  const Json* lambda = find(json, "lambda");
  const Json* gb_second = lambda ? find(*lambda, "gb_second") : nullptr;
  if (!gb_second) return fail(wrong("lambda.gb_second"));
  TRY_ASSIGN(const double million, number(*lambda, "per_million_requests"));
  out.lambda.request = million / 1e6;
  TRY_ASSIGN(out.lambda.x86_64, tiers(*gb_second, "x86_64"));
  TRY_ASSIGN(out.lambda.arm64, tiers(*gb_second, "arm64"));
  TRY_ASSIGN(out.lambda.storage_gb_second, number(*lambda, "storage_gb_second"));
  return out;
}

const Prices& default_prices() {
  static const Prices prices = parse_prices(kDefaultPrices).value();
  return prices;
}

}  // namespace pileus::services::billing
