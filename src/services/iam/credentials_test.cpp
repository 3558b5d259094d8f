// Decisions about passwords, keys and reports; MFA as sts asks for it.
#include "gen/iam/CreateServiceLinkedRole.h"
#include "gen/iam/CreateUser.h"
#include "gen/iam/CreateVirtualMFADevice.h"
#include "gen/iam/EnableMFADevice.h"
#include "gen/iam/PutRolePolicy.h"
#include "gen/iam/UpdateUser.h"
#include "services/iam/credential_report.h"
#include "services/iam/passwords.h"
#include "services/iam/policy_sources.h"
#include "services/iam/qr_code.h"
#include "services/iam/ssh_keys.h"
#include "services/iam/test_world.h"
#include "services/iam/totp.h"

namespace pileus::services::iam {

using namespace gen::iam;

TEST(Passwords, Without_a_policy_three_kinds_of_characters_are_needed) {
  EXPECT_TRUE(check_password(std::nullopt, "abcDEF12"));
  EXPECT_FALSE(check_password(std::nullopt, "abcDEF1"));
  EXPECT_FALSE(check_password(std::nullopt, "abcdefg1"));
}

TEST(Passwords, Each_requirement_is_told_by_name) {
  PasswordPolicyRecord policy;
  policy.minimum_length = 12;
  EXPECT_EQ(error_of(check_password(policy, "short")),
            "PasswordPolicyViolation: Password should have a minimum length of 12");
  policy.minimum_length = 6;
  EXPECT_TRUE(check_password(policy, "abcdef"));
  policy.symbols = true;
  EXPECT_EQ(error_of(check_password(policy, "abcdef")),
            "PasswordPolicyViolation: Password should have at least one symbol");
}

// RFC 7914's own vectors have other costs: the same password and salt give the same, others do not.
TEST(Passwords, Hashes_depend_on_salt_and_password) {
  const auto hash = hash_password("salt", "password");
  EXPECT_EQ(hash.size(), 32u);
  EXPECT_TRUE(same_hash(hash, hash_password("salt", "password")));
  EXPECT_FALSE(same_hash(hash, hash_password("pepper", "password")));
  EXPECT_FALSE(same_hash(hash, hash_password("salt", "passwore")));
}

TEST(QrCode, Is_a_png_of_the_expected_size) {
  const auto png = qr_code_png("otpauth://totp/phone@123456789012?secret=ABC");
  ASSERT_TRUE(png);
  EXPECT_TRUE(png->starts_with("\x89PNG\r\n\x1a\n"));
  // Version 3 (29 modules) and a margin of 4 on each side, four pixels each.
  EXPECT_EQ(static_cast<unsigned char>((*png)[19]), (29 + 8) * 4);
  EXPECT_FALSE(qr_code_png(std::string(4000, 'x')));
}

TEST(SshKeys, What_is_no_rsa_key_is_refused) {
  EXPECT_EQ(error_of(parse_ssh_key("ssh-ed25519 AAAA")).substr(0, 28),
            "UnrecognizedPublicKeyEncodin");
  EXPECT_EQ(error_of(parse_ssh_key("ssh-rsa ////")).substr(0, 16), "InvalidPublicKey");
  EXPECT_EQ(error_of(parse_ssh_key("ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAAgEB")).substr(0, 16),
            "InvalidPublicKey");
}

TEST(GrantsAccess, Looks_at_the_vendors_that_allows_speak_of) {
  const auto grants = [](std::string_view action, std::string_view service) {
    return grants_access(str(R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow",)", action,
                             R"(,"Resource":"*"}]})"),
                         service);
  };
  EXPECT_TRUE(grants(R"("Action":"lambda:Get*")", "lambda"));
  EXPECT_FALSE(grants(R"("Action":"lambda:Get*")", "lamb"));
  EXPECT_FALSE(grants(R"("Action":"lambda:Get*")", "s3"));
  EXPECT_TRUE(grants(R"("Action":"*")", "s3"));
  EXPECT_TRUE(grants(R"("NotAction":["iam:*"])", "s3"));
  EXPECT_FALSE(grants(R"("NotAction":["iam:*"])", "iam"));
  EXPECT_TRUE(grants(R"("NotAction":["iam:Create*"])", "iam"));
}

TEST(CredentialReport, A_row_has_as_many_columns_as_the_header) {
  UserRecord user;
  user.name = "ann";
  user.arn = user_arn("ann");
  user.keys = {{"AKIA1", true, Time{}, ""}};
  PasswordPolicyRecord policy;
  policy.max_age_days = 1;
  user.login.emplace();
  const std::string row =
      report_row(user, policy, {{"AKIA1", {Time(std::chrono::hours(1)), "s3", "us-east-1"}}});
  EXPECT_EQ(std::ranges::count(row, ','), 21);
  EXPECT_NE(row.find("true,no_information,1970-01-01T00:00:00+00:00,1970-01-02T00:00:00+00:00"),
            row.npos);
  EXPECT_NE(row.find(",1970-01-01T01:00:00+00:00,us-east-1,s3,false,"), row.npos);
}

TEST(Mfa, A_code_is_taken_once_from_the_users_own_device) {
  World world;
  ASSERT_TRUE(world.call(&IamService::create_user, {.user_name = "ann"}));
  const auto made =
      world.call(&IamService::create_virtual_mfa_device, {.virtual_mfa_device_name = "phone"});
  ASSERT_TRUE(made);
  const std::string serial = made->virtual_mfa_device.serial_number;
  const std::string seed = *made->virtual_mfa_device.base32_string_seed;
  const auto now = [&] { return totp_step(world.time.now()); };
  ASSERT_TRUE(world.call(&IamService::enable_mfa_device,
                         {.user_name = "ann",
                          .serial_number = serial,
                          .authentication_code1 = totp_code(seed, now() - 1),
                          .authentication_code2 = totp_code(seed, now())}));
  const auto verify = [&](const std::string& user, std::int64_t step) {
    return *world.loop.run(world.iam.verify_mfa(user_arn(user), serial, totp_code(seed, step)));
  };
  EXPECT_FALSE(verify("ann", now())) << "used up by enabling";
  world.time.pass(std::chrono::seconds(30));
  EXPECT_FALSE(verify("bob", now()));
  EXPECT_TRUE(verify("ann", now()));
  EXPECT_FALSE(verify("ann", now()));
  world.time.pass(std::chrono::seconds(90));
  ASSERT_TRUE(world.call(&IamService::update_user, {.user_name = "ann", .new_user_name = "eve"}));
  EXPECT_TRUE(verify("eve", now())) << "the device follows its user's name";
}

TEST(ServiceLinkedRoles, Only_aws_changes_them) {
  World world;
  ASSERT_TRUE(world.call(&IamService::create_service_linked_role,
                         {.aws_service_name = "ecs.amazonaws.com"}));
  EXPECT_EQ(error_of(world.call(&IamService::put_role_policy,
                                {.role_name = "AWSServiceRoleForECS",
                                 .policy_name = "p",
                                 .policy_document = std::string(kAllowAll)})),
            "UnmodifiableEntity: Cannot perform the operation on the protected role "
            "'AWSServiceRoleForECS' - this role is only modifiable by AWS");
}

}  // namespace pileus::services::iam
