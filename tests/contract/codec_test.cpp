// What the vectors do not say: hostile input, what AWS adds to answers, several protocols of one
// service, and routing where several operations share a path.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "aws/protocol/codec.h"
#include "base/text.h"
#include "gen/lambda/CreateFunction.h"
#include "gen/lambda/Invoke.h"
#include "registry.h"

namespace pileus::aws::protocol {
namespace {

using testing::HasSubstr;

const Service& service(std::string_view name) {
  for (const auto* candidate : all_services())
    if (candidate->name == name) return *candidate;
  std::abort();
}

WireRequest request(std::string method, std::string path, std::string body) {
  WireRequest out;
  out.method = std::move(method);
  out.path = std::move(path);
  out.body = std::move(body);
  return out;
}

// The error a body gets, or "" when it parses.
std::string refused(std::string_view service_name, std::string_view operation_name,
                    std::string body) {
  const Service& s = service(service_name);
  const Operation& operation = *s.operation(operation_name);
  WireRequest wire = request("POST", "/", std::move(body));
  void* input = operation.new_input();
  std::vector<std::string> missing;
  const auto parsed = parse_request(s, s.protocols.front(), operation, wire, {}, input, &missing);
  operation.delete_input(input);
  return parsed ? "" : str(parsed.error().code(), ": ", parsed.error().message());
}

TEST(Codec, Malformed_json_is_refused_in_the_words_of_the_service) {
  EXPECT_THAT(refused("logs", "CreateLogGroup", "{\"logGroupName\":"),
              HasSubstr("SerializationException: Invalid JSON"));
  EXPECT_THAT(
      refused("logs", "CreateLogGroup", "{\"logGroupName\":{}}"),
      HasSubstr("SerializationException: Start of structure or map found where not expected."));
  EXPECT_THAT(refused("logs", "CreateLogGroup", "{\"logGroupName\":7}"),
              HasSubstr("SerializationException: NUMBER_VALUE can not be converted to a String"));
  EXPECT_THAT(refused("logs", "PutRetentionPolicy", "{\"retentionInDays\":\"7\"}"),
              HasSubstr("STRING_VALUE can not be converted to an Integer"));
  EXPECT_THAT(refused("logs", "CreateLogGroup", "[]"),
              HasSubstr("Start of list found where not expected"));
  EXPECT_THAT(
      refused("lambda", "CreateFunction", "{oops"),
      HasSubstr("InvalidRequestContentException: Could not parse request body into json: "));
}

TEST(Codec, Nesting_is_bounded) {
  const std::string deep(100'000, '[');
  EXPECT_THAT(refused("logs", "CreateLogGroup", "{\"x\":" + deep),
              HasSubstr("SerializationException"));
  std::string objects;
  for (int i = 0; i < 1000; ++i) objects += "{\"a\":";
  EXPECT_THAT(refused("logs", "CreateLogGroup", objects), HasSubstr("SerializationException"));
}

TEST(Codec, A_text_that_is_not_utf8_is_refused) {
  EXPECT_THAT(refused("logs", "CreateLogGroup", "{\"logGroupName\":\"\xff\xfe\"}"),
              HasSubstr("SerializationException"));
  EXPECT_THAT(refused("iam", "CreateRole", "Action=CreateRole&RoleName=%FF"),
              HasSubstr("MalformedInput"));
}

TEST(Codec, A_form_with_a_list_where_a_scalar_belongs_is_refused) {
  EXPECT_THAT(refused("iam", "CreateRole", "Action=CreateRole&RoleName.member.1=x"),
              HasSubstr("MalformedInput"));
  EXPECT_THAT(refused("iam", "CreateRole", "Action=CreateRole&Tags.member.x.Key=a"),
              HasSubstr("MalformedInput"));
}

TEST(Codec, List_elements_of_a_form_come_in_the_order_of_their_numbers) {
  const Service& iam = service("iam");
  const Operation& operation = *iam.operation("CreateRole");
  std::string body = "Action=CreateRole";
  for (const int i : {10, 2, 1})
    body += str("&Tags.member.", i, ".Key=k", i, "&Tags.member.", i, ".Value=v");
  WireRequest wire = request("POST", "/", body);
  void* input = operation.new_input();
  std::vector<std::string> missing;
  ASSERT_TRUE(parse_request(iam, Protocol::kQuery, operation, wire, {}, input, &missing));
  EXPECT_THAT(
      to_text(to_json(*operation.input, input)),
      HasSubstr("\"k1\",\"Value\":\"v\"},{\"Key\":\"k2\",\"Value\":\"v\"},{\"Key\":\"k10\""));
  EXPECT_THAT(missing, testing::UnorderedElementsAre("roleName", "assumeRolePolicyDocument"));
  operation.delete_input(input);
}

TEST(Codec, Missing_members_of_nested_structures_are_named_by_their_path) {
  const Service& iam = service("iam");
  const Operation& operation = *iam.operation("CreateRole");
  WireRequest wire = request(
      "POST", "/", "Action=CreateRole&RoleName=r&AssumeRolePolicyDocument=d&Tags.member.1.Value=v");
  void* input = operation.new_input();
  std::vector<std::string> missing;
  ASSERT_TRUE(parse_request(iam, Protocol::kQuery, operation, wire, {}, input, &missing));
  EXPECT_THAT(missing, testing::ElementsAre("tags.1.member.key"));
  operation.delete_input(input);
}

TEST(Codec, Paths_route_to_their_operation) {
  const Service& lambda = service("lambda");
  const auto routed = [&](std::string method, std::string path, std::string query = "") {
    WireRequest wire = request(std::move(method), std::move(path), "");
    wire.query = std::move(query);
    UriLabels labels;
    const Operation* found = route(lambda, Protocol::kRestJson, wire, &labels);
    std::string out = found ? found->name : "none";
    for (const auto& [label, value] : labels) out += str(" ", label, "=", value);
    return out;
  };
  EXPECT_EQ(routed("GET", "/2015-03-31/functions/"), "ListFunctions");
  EXPECT_EQ(routed("GET", "/2015-03-31/functions"), "ListFunctions");
  EXPECT_EQ(routed("GET", "/2015-03-31/functions/f"), "GetFunction FunctionName=f");
  EXPECT_EQ(routed("POST", "/2015-03-31/functions/arn%3Aaws%3Alambda/invocations", "Qualifier=1"),
            "Invoke FunctionName=arn%3Aaws%3Alambda");
  EXPECT_EQ(routed("GET", "/2015-03-31/functions//"), "none");
  EXPECT_EQ(routed("PATCH", "/2015-03-31/functions/f"), "none");
  EXPECT_EQ(routed("GET", "relative"), "none");
  EXPECT_EQ(routed("GET", "/2017-03-31/tags/arn%3Aaws%3Alambda%3Aus-east-1%3A1%3Afunction%3Af"),
            "ListTags Resource=arn%3Aaws%3Alambda%3Aus-east-1%3A1%3Afunction%3Af");
}

TEST(Codec, Unknown_operations_and_garbage_targets_route_nowhere) {
  const Service& logs = service("logs");
  WireRequest wire = request("POST", "/", "{}");
  EXPECT_EQ(route(logs, Protocol::kJson11, wire, nullptr), nullptr);
  wire.headers.add("X-Amz-Target", "Logs_20140328.NoSuchThing");
  EXPECT_EQ(route(logs, Protocol::kJson11, wire, nullptr), nullptr);
  EXPECT_EQ(requested_name(Protocol::kJson11, wire), "NoSuchThing");
}

TEST(Codec, The_payload_of_an_invoke_is_moved_not_copied) {
  const Service& lambda = service("lambda");
  WireRequest wire =
      request("POST", "/2015-03-31/functions/f/invocations", std::string(1'000'000, 'x'));
  const char* bytes = wire.body.data();
  UriLabels labels;
  const Operation* operation = route(lambda, Protocol::kRestJson, wire, &labels);
  gen::lambda::InvokeInput input;
  std::vector<std::string> missing;
  ASSERT_TRUE(
      parse_request(lambda, Protocol::kRestJson, *operation, wire, labels, &input, &missing));
  EXPECT_EQ(input.function_name, "f");
  ASSERT_TRUE(input.payload.has_value());
  EXPECT_EQ(input.payload->data(), bytes);
}

TEST(Codec, Errors_carry_what_each_protocol_s_clients_look_for) {
  const Error error = Error("ResourceNotFoundException", "no such thing <here>");
  const auto rest = write_error(service("lambda"), Protocol::kRestJson,
                                service("lambda").operation("GetFunction"), error, "rid");
  EXPECT_EQ(rest.status, 404);
  EXPECT_EQ(rest.headers.get("x-amzn-errortype"), "ResourceNotFoundException");
  EXPECT_EQ(rest.headers.get("x-amzn-requestid"), "rid");
  EXPECT_EQ(rest.body, "{\"Type\":\"User\",\"Message\":\"no such thing <here>\"}");
  const auto json = write_error(service("logs"), Protocol::kJson11, nullptr, error, "rid");
  EXPECT_EQ(json.status, 400);
  EXPECT_EQ(json.body,
            "{\"__type\":\"ResourceNotFoundException\",\"message\":\"no such thing <here>\"}");
  const auto query = write_error(service("iam"), Protocol::kQuery, nullptr,
                                 Error("NoSuchEntityException", "gone <x>"), "rid");
  EXPECT_EQ(query.status, 404);
  EXPECT_EQ(query.body,
            "<ErrorResponse "
            "xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><Error><Type>Sender</"
            "Type><Code>NoSuchEntity</Code>"
            "<Message>gone &lt;x&gt;</Message></Error><RequestId>rid</RequestId></ErrorResponse>");
}

TEST(Codec, An_error_no_model_knows_keeps_its_own_status) {
  const auto answer = write_error(service("iam"), Protocol::kQuery, nullptr,
                                  Error("AccessDenied", "no", 403), "rid");
  EXPECT_EQ(answer.status, 403);
  EXPECT_THAT(answer.body, HasSubstr("<Code>AccessDenied</Code>"));
}

TEST(Codec, A_request_without_its_idempotency_token_gets_one) {
  for (const auto* s : all_services())
    for (const auto& operation : s->operations) {
      if (!operation.spoken()) continue;
      for (const auto& member : operation.input->members) {
        if (!member.idempotency_token || member.location != Location::kBody) continue;
        SeededRandom random(1);
        void* input = operation.new_input();
        const auto wire = write_request(*s, s->protocols.front(), operation, input, &random);
        EXPECT_TRUE(!wire || wire->body.find(member.wire_name) != std::string::npos)
            << operation.name;
        operation.delete_input(input);
      }
    }
}

}  // namespace
}  // namespace pileus::aws::protocol
