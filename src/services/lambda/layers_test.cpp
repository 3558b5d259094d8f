#include "gen/lambda/DeleteFunction.h"
#include "gen/lambda/DeleteLayerVersion.h"
#include "gen/lambda/GetAccountSettings.h"
#include "gen/lambda/PublishLayerVersion.h"
#include "gen/lambda/PublishVersion.h"
#include "gen/lambda/UpdateFunctionConfiguration.h"
#include "services/lambda/test_support.h"

namespace pileus::services::lambda::testing {
namespace {

struct Published {
  std::string arn, id;  // id: of the content
};
Published publish_layer(Bed& bed, const std::string& name, const std::string& content) {
  gen::lambda::PublishLayerVersionInput in;
  in.layer_name = name;
  in.content.zip_file = zip_of({{"file", content}});
  auto call = bed.context();
  auto out = bed.run(bed.service->publish_layer_version(call, in));
  EXPECT_TRUE(out) << out.error().message();
  return {*out->layer_version_arn, to_hex(*from_base64(*out->content->code_sha256))};
}
void delete_layer(Bed& bed, const std::string& name, std::int64_t version) {
  gen::lambda::DeleteLayerVersionInput in;
  in.layer_name = name;
  in.version_number = version;
  auto call = bed.context();
  ASSERT_TRUE(bed.run(bed.service->delete_layer_version(call, in)));
}
Result<gen::lambda::UpdateFunctionConfigurationOutput> set_layers(Bed& bed,
                                                                  std::vector<std::string> arns) {
  gen::lambda::UpdateFunctionConfigurationInput in;
  in.function_name = "f";
  in.layers = std::move(arns);
  auto call = bed.context();
  return bed.run(bed.service->update_function_configuration(call, in));
}
void publish_version(Bed& bed) {
  gen::lambda::PublishVersionInput in;
  in.function_name = "f";
  auto call = bed.context();
  ASSERT_TRUE(bed.run(bed.service->publish_version(call, in)));
}
void delete_function(Bed& bed, const std::string& name) {
  gen::lambda::DeleteFunctionInput in;
  in.function_name = name;
  auto call = bed.context();
  ASSERT_TRUE(bed.run(bed.service->delete_function(call, in)));
}
bool kept(Bed& bed, const std::string& id) { return bed.run(bed.blobs->read(id)).has_value(); }

TEST(Layers, Are_mounted_on_opt_the_last_one_uppermost_and_unpacked_once) {
  Bed bed;
  const auto first = publish_layer(bed, "a", "1"), second = publish_layer(bed, "b", "2"),
             third = publish_layer(bed, "c", "3");
  ASSERT_TRUE(bed.create(
      "f", [&](auto& in) { in.layers = std::vector{first.arn, second.arn, third.arn}; }));
  ASSERT_TRUE(bed.invoke("f"));
  const auto mounts = bed.driver.last()->assignment()->mounts;
  ASSERT_EQ(mounts.size(), 2u);
  const std::string code = bed.folder.path() + "/code/";
  EXPECT_EQ(mounts[1].target, "/opt");
  EXPECT_TRUE(mounts[1].read_only);
  EXPECT_EQ(mounts[1].source, code + third.id);
  EXPECT_EQ(mounts[1].below, (std::vector<std::string>{code + second.id, code + first.id}));
  ASSERT_TRUE(set_layers(bed, {first.arn}));
  ASSERT_TRUE(bed.invoke("f"));
  EXPECT_EQ(bed.driver.last()->assignment()->mounts[1].source, code + first.id);
  EXPECT_TRUE(bed.driver.last()->assignment()->mounts[1].below.empty());
  ASSERT_TRUE(set_layers(bed, {}));
  ASSERT_TRUE(bed.invoke("f"));
  EXPECT_EQ(bed.driver.last()->assignment()->mounts.size(), 1u);
}

TEST(Layers, Content_goes_with_its_last_user_and_versions_are_users_too) {
  Bed bed;
  const auto layer = publish_layer(bed, "a", "1");
  ASSERT_TRUE(bed.create("f", [&](auto& in) { in.layers = std::vector{layer.arn}; }));
  publish_version(bed);
  delete_layer(bed, "a", 1);
  EXPECT_TRUE(kept(bed, layer.id));
  bed.restart();
  ASSERT_TRUE(set_layers(bed, {}));
  EXPECT_TRUE(kept(bed, layer.id)) << "version 1 has it";
  ASSERT_TRUE(bed.invoke("f", "{}", [](auto& in) { in.qualifier = "1"; }));
  delete_function(bed, "f:1");
  EXPECT_FALSE(kept(bed, layer.id));
}

TEST(Layers, A_layer_that_is_set_again_does_not_lose_its_content) {
  Bed bed;
  const auto layer = publish_layer(bed, "a", "1");
  ASSERT_TRUE(bed.create("f", [&](auto& in) { in.layers = std::vector{layer.arn}; }));
  ASSERT_TRUE(set_layers(bed, {layer.arn}));
  delete_layer(bed, "a", 1);
  EXPECT_TRUE(kept(bed, layer.id));
  auto gone = set_layers(bed, {layer.arn});
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().message(), "Layer version " + layer.arn + " does not exist.");
  EXPECT_TRUE(kept(bed, layer.id)) << "a refused change takes nothing away";
  delete_function(bed, "f");
  EXPECT_FALSE(kept(bed, layer.id));
}

TEST(Layers, A_function_that_is_refused_keeps_nothing) {
  Bed bed;
  const auto layer = publish_layer(bed, "a", "1");
  ASSERT_TRUE(bed.create("f"));
  const std::string zip = zip_of({{"bootstrap", "other"}});
  auto twice = bed.create("f", [&](auto& in) {
    in.layers = std::vector{layer.arn};
    in.code.zip_file = zip;
  });
  ASSERT_FALSE(twice);
  delete_layer(bed, "a", 1);
  EXPECT_FALSE(kept(bed, layer.id));
}

TEST(Layers, Storage_is_counted_and_limited_by_the_quotas_of_aws) {
  Bed bed([](Options& options) { options.quotas = Quotas::kAws; });
  const auto layer = publish_layer(bed, "a", "1");
  ASSERT_TRUE(bed.create("f"));
  auto call = bed.context();
  const auto settings = bed.run(bed.service->get_account_settings(call, {}));
  const auto layer_bytes = zip_of({{"file", "1"}}).size();
  const auto code_bytes = zip_of({{"bootstrap", "#!/bin/sh\n"}}).size();
  EXPECT_EQ(settings->account_usage->total_code_size,
            static_cast<std::int64_t>(layer_bytes + code_bytes));
  EXPECT_EQ(settings->account_usage->function_count, 1);
  EXPECT_EQ(settings->account_limit->total_code_size, 80'530'636'800);
}

}  // namespace
}  // namespace pileus::services::lambda::testing
