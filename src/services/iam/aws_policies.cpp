// Documents as AWS publishes them: models/aws_policies.jsonl, as models/generate.py writes it.
#include "services/iam/aws_policies.h"

#include "services/iam/arns.h"

namespace pileus::services::iam {

namespace {

const AwsPolicy kPolicies[] = {
#include "gen/iam/aws_policies.inc"
};

constexpr std::string_view kBase32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

}  // namespace

std::string AwsPolicy::arn(std::string_view partition) const {
  return str("arn:", partition, ":iam::aws:policy", path, name);
}

// FNV-1a of the name: stable, and unlike that of any policy of a customer's.
std::string AwsPolicy::id() const {
  std::uint64_t hash = 14695981039346656037u;
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211u;
  std::string text = "ANPAAWS";
  for (int i = 0; i < 14; ++i, hash = (hash >> 5) | (hash << 59)) text += kBase32[hash & 31];
  return text;
}

Time AwsPolicy::created() const { return parse_iso8601(created_text).value_or(Time{}); }
Time AwsPolicy::updated() const { return parse_iso8601(updated_text).value_or(Time{}); }

std::span<const AwsPolicy> aws_policies() { return kPolicies; }

const AwsPolicy* find_aws_policy(std::string_view arn) {
  const auto parsed = parse_entity_arn(arn);
  if (!parsed || !parsed->of_aws() || parsed->kind != PolicyRecord::kKind) return nullptr;
  const auto found =
      std::ranges::lower_bound(kPolicies, std::string_view(parsed->name), {}, &AwsPolicy::name);
  const bool is_it =
      found != std::end(kPolicies) && found->name == parsed->name && found->path == parsed->path;
  return is_it ? found : nullptr;
}

}  // namespace pileus::services::iam
