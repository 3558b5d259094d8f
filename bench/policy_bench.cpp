// How long a decision takes: a role with 10 policies of 20 statements; and a signature: a 1 KB
// request verified with the signing key cached and without.
#include <time.h>

#include <cstdio>

#include "aws/policy/evaluate.h"
#include "aws/sigv4.h"
#include "base/text.h"

namespace pileus::aws {
namespace {

// This thread's own time: pure computation, and the machine may be busy.
std::chrono::duration<double, std::micro> cpu_time() {
  timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

// Runs `work` for about half a second and prints the mean of the best of five parts.
template <class Work>
void measure(const char* name, Work work) {
  double best_us = 1e9;
  for (int part = 0; part < 5; ++part) {
    std::size_t rounds = 0;
    const auto start = cpu_time();
    std::chrono::duration<double, std::micro> spent{};
    do {
      for (int i = 0; i < 100; ++i) work();
      rounds += 100;
      spent = cpu_time() - start;
    } while (spent.count() < 1e5);
    best_us = std::min(best_us, spent.count() / static_cast<double>(rounds));
  }
  std::printf("%-58s %8.2f us\n", name, best_us);
}

// `services`: how many the statements speak of, in turn.
policy::Policy policy_of(int number, int services) {
  static constexpr const char* kServices[] = {"events", "sqs",     "dynamodb", "logs", "lambda",
                                              "sns",    "kinesis", "ecr",      "xray", "ssm"};
  std::string text = R"({"Version":"2012-10-17","Statement":[)";
  for (int i = 0; i < 20; ++i) {
    const char* service = kServices[(number + i) % services];
    text += str(
        i ? "," : "", R"({"Effect":")", i % 7 == 6 ? "Deny" : "Allow", R"(","Action":[")", service,
        ":Get*\",\"", service, ":Put*\",\"", service, R"(:ListThings"],"Resource":"arn:aws:)",
        service, ":us-*:123456789012:thing", number, "-", i, R"(/*")",
        i % 3 ? "" : R"(,"Condition":{"StringEquals":{"aws:PrincipalTag/team":"blue"}})", "}");
  }
  return policy::parse_policy(text + "]}", policy::Use::kIdentity).value();
}

void decisions(int services) {
  std::printf("Statements about %d service%s\n", services, services == 1 ? "" : "s");
  std::vector<policy::Policy> policies;
  for (int i = 0; i < 10; ++i) policies.push_back(policy_of(i, services));
  std::vector<policy::AttachedPolicy> attached;
  for (const auto& one : policies)
    attached.push_back({&one, "p", policy::AttachedPolicy::Kind::kManaged});
  Identity identity;
  identity.type = Identity::Type::kAssumedRole;
  identity.account = "123456789012";
  identity.arn = "arn:aws:sts::123456789012:assumed-role/r/s";
  identity.role_arn = "arn:aws:iam::123456789012:role/r";
  identity.tags = {{"team", "blue"}};
  const policy::ConditionValues conditions{{"aws:SourceIp", {"127.0.0.1"}},
                                           {"aws:SecureTransport", {"false"}}};
  policy::PolicySet set;
  set.identity = attached;
  const auto decide = [&](const char* name, const char* action, const char* resource) {
    policy::Request request(identity, action, resource);
    request.conditions = &conditions;
    std::size_t allowed = 0;
    measure(name, [&] { allowed += policy::evaluate(request, set).allowed(); });
    std::printf("  (%s)\n", allowed ? "allowed" : "denied");
  };
  decide("decision, 10 policies of 20 statements, allowed", "events:PutThing",
         "arn:aws:events:us-east-1:123456789012:thing9-1/x");
  decide("decision, 10 policies of 20 statements, nothing matches", "events:PutThing",
         "arn:aws:events:us-east-1:123456789012:other/x");
  decide("decision, 10 policies of 20 statements, another service", "ec2:RunInstances", "*");
}

void signatures() {
  const Time now = *parse_basic_iso8601("20260504T100000Z");
  const std::string secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", body(1024, 'x');
  std::vector<HeaderField> headers{{"Host", "127.0.0.1:4566"},
                                   {"Content-Type", "application/x-amz-json-1.0"},
                                   {"X-Amz-Target", "DynamoDB_20120810.PutItem"},
                                   {"Accept-Encoding", "identity"},
                                   {"User-Agent", "Boto3/1.44 md/Botocore#1.44"},
                                   {"amz-sdk-request", "attempt=1"}};
  RequestParts parts{"POST", "/", "", headers, body};
  for (auto& field : sign(parts, {"AKIDEXAMPLE", secret, ""}, {"us-east-1", "dynamodb", now}))
    headers.push_back(field);
  parts.headers = headers;
  SigningKeyCache cache;
  std::size_t good = 0;
  measure("parse and verify a 1 KB request, key cached", [&] {
    good += verify(*parse_signature(parts), parts, secret, now, {.cache = &cache}).has_value();
  });
  measure("parse and verify a 1 KB request, key derived",
          [&] { good += verify(*parse_signature(parts), parts, secret, now).has_value(); });
  measure("  of which SHA-256 of 1 KB", [&] { good += sha256(body)[0]; });
  measure("  of which one HMAC",
          [&] { good += hmac_sha256(std::string_view(secret).substr(0, 32), "x")[0]; });
  if (good == 0) std::printf("no signature was right\n");
}

}  // namespace
}  // namespace pileus::aws

int main() {
  pileus::aws::decisions(10);
  pileus::aws::decisions(1);
  pileus::aws::signatures();
}
