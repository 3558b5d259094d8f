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
    "storage_gb_second": 0.0000000309,
    "provisioned": {
      "x86_64": {"gb_second": 0.0000041667, "duration_gb_second": 0.0000097222},
      "arm64": {"gb_second": 0.0000033334, "duration_gb_second": 0.0000077778}
    },
    "streamed_gb": 0.008
  },
  "free_tier": {"applies": false, "requests": 1000000, "gb_seconds": 400000, "streamed_gb": 100}
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

Result<LambdaPrices::Provisioned> provisioned(const Json& by_architecture,
                                              std::string_view architecture) {
  const Json* prices = find(by_architecture, architecture);
  if (!prices) return fail(wrong(str("lambda.provisioned.", architecture)));
  LambdaPrices::Provisioned out;
  TRY_ASSIGN(out.gb_second, number(*prices, "gb_second"));
  TRY_ASSIGN(out.duration_gb_second, number(*prices, "duration_gb_second"));
  return out;
}

// A number, or what AWS has where the list does not say.
Result<double> number_or(const Json& object, std::string_view key, double otherwise) {
  if (!find(object, key)) return otherwise;
  return number(object, key);
}

Result<FreeTier> free_tier(const Json& json, const FreeTier& usual) {
  const Json* given = find(json, "free_tier");
  if (!given) return usual;
  FreeTier out;
  const Json* applies = find(*given, "applies");
  if (applies && !applies->is_bool()) return fail(wrong("free_tier.applies (true or false)"));
  out.applies = applies && applies->get_bool();
  TRY_ASSIGN(out.requests, number_or(*given, "requests", usual.requests));
  TRY_ASSIGN(out.gb_seconds, number_or(*given, "gb_seconds", usual.gb_seconds));
  TRY_ASSIGN(out.streamed_gb, number_or(*given, "streamed_gb", usual.streamed_gb));
  return out;
}

// `usual`: what a list may leave out; nullptr for the list that leaves out nothing.
Result<Prices> parse(std::string_view text, const Prices* usual) {
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
  static const Prices kNothing;
  const Prices& others = usual ? *usual : kNothing;
  out.lambda.provisioned_x86_64 = others.lambda.provisioned_x86_64;
  out.lambda.provisioned_arm64 = others.lambda.provisioned_arm64;
  if (const Json* prices = find(*lambda, "provisioned")) {
    TRY_ASSIGN(out.lambda.provisioned_x86_64, provisioned(*prices, "x86_64"));
    TRY_ASSIGN(out.lambda.provisioned_arm64, provisioned(*prices, "arm64"));
  }
  TRY_ASSIGN(out.lambda.streamed_gb, number_or(*lambda, "streamed_gb", others.lambda.streamed_gb));
  TRY_ASSIGN(out.free_tier, free_tier(json, others.free_tier));
  return out;
}

}  // namespace

Result<Prices> parse_prices(std::string_view text) { return parse(text, &default_prices()); }

const Prices& default_prices() {
  static const Prices prices = parse(kDefaultPrices, nullptr).value();
  return prices;
}

}  // namespace pileus::services::billing
