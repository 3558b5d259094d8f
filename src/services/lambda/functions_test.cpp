#include "gen/lambda/CreateAlias.h"
#include "gen/lambda/DeleteAlias.h"
#include "gen/lambda/DeleteFunction.h"
#include "gen/lambda/GetAccountSettings.h"
#include "gen/lambda/GetFunction.h"
#include "gen/lambda/ListAliases.h"
#include "gen/lambda/ListFunctions.h"
#include "gen/lambda/ListTags.h"
#include "gen/lambda/ListVersionsByFunction.h"
#include "gen/lambda/PublishVersion.h"
#include "gen/lambda/TagResource.h"
#include "gen/lambda/UpdateFunctionCode.h"
#include "gen/lambda/UpdateFunctionConfiguration.h"
#include "services/lambda/test_support.h"

namespace pileus::services::lambda::testing {
namespace {

using Map = std::map<std::string, std::string>;

Result<gen::lambda::GetFunctionOutput> get(Bed& bed, const std::string& name) {
  gen::lambda::GetFunctionInput in;
  in.function_name = name;
  auto call = bed.context();
  return bed.run(bed.service->get_function(call, in));
}
Result<gen::lambda::DeleteFunctionOutput> remove(Bed& bed, const std::string& name) {
  gen::lambda::DeleteFunctionInput in;
  in.function_name = name;
  auto call = bed.context();
  return bed.run(bed.service->delete_function(call, in));
}
Result<gen::lambda::UpdateFunctionConfigurationOutput> configure(
    Bed& bed, std::function<void(gen::lambda::UpdateFunctionConfigurationInput&)> adjust) {
  gen::lambda::UpdateFunctionConfigurationInput in;
  in.function_name = "f";
  adjust(in);
  auto call = bed.context();
  return bed.run(bed.service->update_function_configuration(call, in));
}
Result<gen::lambda::PublishVersionOutput> publish(Bed& bed) {
  gen::lambda::PublishVersionInput in;
  in.function_name = "f";
  auto call = bed.context();
  return bed.run(bed.service->publish_version(call, in));
}

TEST(Functions, A_new_function_has_the_defaults_of_aws) {
  Bed bed;
  auto made = bed.create("f", [](auto& in) { in.tags = Map{{"team", "a"}}; });
  ASSERT_TRUE(made) << made.error().message();
  EXPECT_EQ(made->state, "Pending");
  EXPECT_EQ(made->state_reason_code, "Creating");
  EXPECT_EQ(made->function_arn, "arn:aws:lambda:us-east-1:000000000000:function:f");
  EXPECT_EQ(made->memory_size, 128);
  EXPECT_EQ(made->timeout, 3);
  EXPECT_EQ(made->version, "$LATEST");
  EXPECT_EQ(made->package_type, "Zip");
  EXPECT_EQ(made->architectures->at(0), "x86_64");
  EXPECT_EQ(made->ephemeral_storage->size, 512);
  EXPECT_EQ(made->tracing_config->mode, "PassThrough");
  EXPECT_EQ(made->logging_config->log_group, "/aws/lambda/f");
  EXPECT_EQ(made->last_modified, "2026-03-14T00:00:00.000+0000");
  EXPECT_EQ(from_base64(*made->code_sha256)->size(), 32u);
  auto read = get(bed, "f");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->configuration->state, "Active");
  EXPECT_EQ(read->configuration->revision_id, made->revision_id);
  EXPECT_EQ(read->tags->at("team"), "a");
  EXPECT_EQ(read->code->repository_type, "S3");
  EXPECT_EQ(bed.authorizer.asked().at(0),
            "lambda:CreateFunction arn:aws:lambda:us-east-1:000000000000:function:f");
  EXPECT_EQ(bed.authorizer.asked().at(1), "iam:PassRole arn:aws:iam::000000000000:role/r");
  auto again = bed.create("f");
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code(), "ResourceConflictException");
  EXPECT_EQ(again.error().message(), "Function already exist: f");
}

TEST(Functions, The_code_can_be_downloaded_for_a_while) {
  Bed bed;
  ASSERT_TRUE(bed.create("f"));
  const std::string url = *get(bed, "f")->code->location;
  net::Request request;
  request.method = "GET";
  request.target = url.substr(url.find("/_pileus"));
  auto served = bed.run(bed.service->serve_code(request));
  EXPECT_EQ(served.status, 200);
  EXPECT_EQ(served.body, zip_of({{"bootstrap", "#!/bin/sh\n"}}));
  request.target.back() = request.target.back() == '0' ? '1' : '0';
  EXPECT_EQ(bed.run(bed.service->serve_code(request)).status, 403);
}

TEST(Functions, What_cannot_be_created_is_refused_in_the_words_of_aws) {
  Bed bed;
  struct Case {
    const char* code;
    const char* message;
    std::function<void(gen::lambda::CreateFunctionInput&)> adjust;
  };
  const Case cases[] = {
      {"InvalidParameterValueException", "Runtime and Handler are mandatory",
       [](auto& in) { in.handler.reset(); }},
      {"InvalidParameterValueException",
       "Could not unzip uploaded file. Please check your file, then try to upload again.",
       [](auto& in) { in.code.zip_file = "not a zip"; }},
      {"InvalidParameterValueException", "Could not unzip uploaded file.",
       [](auto& in) { in.code.zip_file = zip_of({{"../evil", "x"}}); }},
      {"InvalidParameterValueException", "Could not unzip uploaded file.",
       [](auto& in) { in.code.zip_file = zip_of({{"/etc/evil", "x"}}); }},
      {"InvalidParameterValueException",
       "The runtime python3.9 is not on this machine, which has provided.al2",
       [](auto& in) { in.runtime = "python3.9"; }},
      {"InvalidParameterValueException", "Reserved keys used in this request: AWS_REGION",
       [](auto& in) {
         in.environment.emplace().variables = Map{{"AWS_REGION", "x"}, {"OK", "y"}};
       }},
      {"InvalidParameterValueException", "exceeded the 4KB limit",
       [](auto& in) { in.environment.emplace().variables = Map{{"BIG", std::string(4096, 'x')}}; }},
      {"InvalidParameterValueException", "less than or equal to 10240",
       [](auto& in) { in.memory_size = 10241; }},
      {"InvalidParameterValueException", "This machine runs",
       [](auto& in) { in.architectures = {"arm64"}; }},
      {"AccessDeniedException", "Cross-account pass role is not allowed.",
       [](auto& in) { in.role = "arn:aws:iam::111111111111:role/r"; }},
      {"ResourceNotFoundException",
       "Functions from 'eu-west-1' are not reachable in this region ('us-east-1')",
       [](auto& in) { in.function_name = "arn:aws:lambda:eu-west-1:000000000000:function:g"; }},
      {"RequestEntityTooLargeException", "Request must be smaller than",
       [](auto& in) { in.code.zip_file = std::string(52'428'801, 'x'); }},
  };
  for (const auto& wrong : cases) {
    auto out = bed.create("g", wrong.adjust);
    ASSERT_FALSE(out) << wrong.message;
    EXPECT_EQ(out.error().code(), wrong.code) << wrong.message;
    EXPECT_NE(out.error().message().find(wrong.message), std::string::npos)
        << out.error().message();
  }
  bed.sessions.refuse = true;
  auto role = bed.create("g");
  ASSERT_FALSE(role);
  EXPECT_EQ(role.error().message(),
            "The role defined for the function cannot be assumed by Lambda.");
}

TEST(Functions, A_configuration_changes_as_one_and_only_from_its_latest_revision) {
  Bed bed;
  ASSERT_TRUE(bed.create("f"));
  const std::string revision = *get(bed, "f")->configuration->revision_id;
  auto changed = configure(bed, [](auto& in) {
    in.memory_size = 512;
    in.environment.emplace().variables = Map{{"A", "1"}};
    in.logging_config.emplace().log_format = "JSON";
  });
  ASSERT_TRUE(changed) << changed.error().message();
  EXPECT_EQ(changed->memory_size, 512);
  EXPECT_EQ(changed->timeout, 3);
  EXPECT_EQ(changed->logging_config->system_log_level, "INFO");
  EXPECT_NE(changed->revision_id, revision);
  auto stale = configure(bed, [&](auto& in) { in.revision_id = revision; });
  ASSERT_FALSE(stale);
  EXPECT_EQ(stale.error().code(), "PreconditionFailedException");
}

TEST(Versions, Are_numbered_once_and_made_only_of_changes) {
  Bed bed;
  ASSERT_TRUE(bed.create("f"));
  EXPECT_EQ(publish(bed)->version, "1");
  EXPECT_EQ(publish(bed)->version, "1");
  ASSERT_TRUE(configure(bed, [](auto& in) { in.timeout = 5; }));
  auto second = publish(bed);
  EXPECT_EQ(second->version, "2");
  EXPECT_EQ(second->function_arn, "arn:aws:lambda:us-east-1:000000000000:function:f:2");
  ASSERT_TRUE(remove(bed, "f:2"));
  EXPECT_FALSE(get(bed, "f:2"));
  EXPECT_EQ(publish(bed)->version, "3");
  EXPECT_EQ(get(bed, "f:1")->configuration->timeout, 3);
  gen::lambda::ListVersionsByFunctionInput list;
  list.function_name = "f";
  list.max_items = 2;
  std::vector<std::string> seen;
  for (;;) {
    auto call = bed.context();
    auto page = bed.run(bed.service->list_versions_by_function(call, list));
    ASSERT_TRUE(page);
    for (const auto& version : *page->versions) seen.push_back(*version.version);
    if (!page->next_marker) break;
    list.marker = page->next_marker;
  }
  EXPECT_EQ(seen, (std::vector<std::string>{"$LATEST", "1", "3"}));
}

TEST(Aliases, Point_at_versions_that_exist_and_hold_them) {
  Bed bed;
  ASSERT_TRUE(bed.create("f", [](auto& in) { in.publish = true; }));
  gen::lambda::CreateAliasInput in;
  in.function_name = "f";
  in.name = "live";
  in.function_version = "9";
  auto call = bed.context();
  auto missing = bed.run(bed.service->create_alias(call, in));
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().message(),
            "Function not found: arn:aws:lambda:us-east-1:000000000000:function:f:9");
  in.function_version = "1";
  ASSERT_TRUE(bed.run(bed.service->create_alias(call, in)));
  auto twice = bed.run(bed.service->create_alias(call, in));
  ASSERT_FALSE(twice);
  EXPECT_EQ(twice.error().code(), "ResourceConflictException");
  EXPECT_EQ(get(bed, "f:live")->configuration->version, "1");
  auto held = remove(bed, "f:1");
  ASSERT_FALSE(held);
  EXPECT_EQ(held.error().code(), "ResourceConflictException");
  in.name = "wide";
  in.routing_config.emplace().additional_version_weights = {{"1", 0.5}};
  EXPECT_FALSE(bed.run(bed.service->create_alias(call, in)));
}

TEST(Functions, Lists_go_through_all_pages) {
  Bed bed;
  for (const char* name : {"a", "b", "c"})
    ASSERT_TRUE(bed.create(name, [](auto& in) { in.publish = true; }));
  const auto list = [&](bool all) {
    gen::lambda::ListFunctionsInput in;
    in.max_items = 2;
    if (all) in.function_version = "ALL";
    std::vector<std::string> seen;
    for (int pages = 0; pages < 10; ++pages) {
      auto call = bed.context();
      auto page = bed.run(bed.service->list_functions(call, in));
      EXPECT_TRUE(page);
      for (const auto& function : *page->functions)
        seen.push_back(*function.function_name + ":" + *function.version);
      if (!page->next_marker) break;
      in.marker = page->next_marker;
    }
    return seen;
  };
  EXPECT_EQ(list(false), (std::vector<std::string>{"a:$LATEST", "b:$LATEST", "c:$LATEST"}));
  EXPECT_EQ(list(true),
            (std::vector<std::string>{"a:$LATEST", "a:1", "b:$LATEST", "b:1", "c:$LATEST", "c:1"}));
}

TEST(Functions, The_code_goes_with_its_last_user) {
  Bed bed;
  ASSERT_TRUE(bed.create("a"));
  ASSERT_TRUE(bed.create("b"));
  const std::string id = to_hex(*from_base64(*get(bed, "a")->configuration->code_sha256));
  ASSERT_TRUE(remove(bed, "a"));
  EXPECT_FALSE(get(bed, "a"));
  EXPECT_TRUE(bed.run(bed.blobs->read(id)));
  bed.restart();
  ASSERT_TRUE(remove(bed, "b"));
  EXPECT_FALSE(bed.run(bed.blobs->read(id)));
  auto gone = remove(bed, "b");
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().code(), "ResourceNotFoundException");
}

TEST(Tags, Are_of_functions_only) {
  Bed bed;
  ASSERT_TRUE(bed.create("f"));
  gen::lambda::TagResourceInput in;
  in.resource = "arn:aws:lambda:us-east-1:000000000000:function:f";
  in.tags = Map{{"a", "1"}};
  auto call = bed.context();
  ASSERT_TRUE(bed.run(bed.service->tag_resource(call, in)));
  gen::lambda::ListTagsInput list;
  list.resource = in.resource;
  EXPECT_EQ(bed.run(bed.service->list_tags(call, list))->tags->at("a"), "1");
  in.resource += ":1";
  EXPECT_FALSE(bed.run(bed.service->tag_resource(call, in)));
}

}  // namespace
}  // namespace pileus::services::lambda::testing
