// Any bytes as a policy of each use, and as the request it decides: no crash, no runaway match, and
// the decision keeps the evaluator's promises. Input: document, then '\n'-separated request parts
// after the first 0 byte.
#include <cstdlib>

#include "aws/policy/evaluate.h"

using namespace pileus;
using namespace pileus::aws;

namespace {

void check(bool condition) {
  if (!condition) std::abort();
}

void decide(const policy::Policy& parsed, policy::Use use,
            const std::vector<std::string_view>& parts) {
  const auto part = [&](std::size_t i, std::string_view fallback) {
    return i < parts.size() ? parts[i] : fallback;
  };
  Identity identity;
  identity.type = static_cast<Identity::Type>(part(0, "2").size() % 6);
  identity.account = "123456789012";
  identity.arn = part(1, "arn:aws:iam::123456789012:user/u");
  identity.role_arn = part(2, "");
  identity.user_name = "u";
  identity.tags = {{"team", std::string(part(3, "blue"))}};
  policy::ConditionValues conditions{
      {"aws:SourceIp", {std::string(part(4, "10.0.0.1"))}},
      {"aws:TagKeys", {std::string(part(5, "a")), std::string(part(6, "b"))}}};
  policy::Request request(identity, part(7, "s3:GetObject"), part(8, "arn:aws:s3:::b/k"));
  request.conditions = &conditions;
  request.now = Time(std::chrono::seconds(1777888800));
  const policy::AttachedPolicy attached{&parsed, "p", policy::AttachedPolicy::Kind::kInline};
  policy::PolicySet set;
  if (use == policy::Use::kIdentity)
    set.identity = {&attached, 1};
  else
    set.resource = &attached;
  const auto decision = evaluate(request, set);
  (void)policy::denial_message(decision, request);
  const auto everything = policy::parse_policy(
      R"({"Statement":{"Effect":"Deny","Action":"*","Resource":"*"}})", policy::Use::kIdentity);
  const policy::AttachedPolicy deny{&*everything, "deny", policy::AttachedPolicy::Kind::kInline};
  set.boundary = &deny;
  check(!evaluate(request, set).allowed());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const auto end = input.find('\0');
  const auto parts = end == std::string_view::npos ? std::vector<std::string_view>()
                                                   : split(input.substr(end + 1), '\n');
  for (const auto use : {policy::Use::kIdentity, policy::Use::kResource, policy::Use::kTrust}) {
    const auto parsed = policy::parse_policy(input.substr(0, end), use);
    if (!parsed)
      check(parsed.error().code() == "MalformedPolicyDocument");
    else
      decide(*parsed, use, parts);
  }
  if (parts.size() > 1) {
    (void)glob_matches(parts[0].substr(0, 500), parts[1].substr(0, 500));
    (void)Pattern(parts[0].substr(0, 500), Pattern::Form::kResourceArn)
        .matches(parts[1].substr(0, 500));
    (void)Pattern(parts[0].substr(0, 500), Pattern::Form::kConditionArn)
        .matches(parts[1].substr(0, 500));
  }
  return 0;
}
