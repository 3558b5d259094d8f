#include "services/iam/credential_report.h"

#include "gen/iam/GenerateCredentialReport.h"
#include "gen/iam/GetCredentialReport.h"
#include "services/iam/errors.h"
#include "services/iam/password_policy.h"
#include "services/iam/shapes.h"
#include "services/iam/uses.h"

namespace pileus::services::iam {

using namespace gen::iam;

namespace {

constexpr std::string_view kReportRow = "iam/credential_report";
constexpr auto kReportLife = std::chrono::hours(4);
constexpr std::size_t kPartBytes = 512 << 10;  // a report is kept in parts that records can hold

struct ReportRecord {
  Time generated{};
  std::int32_t parts = 0;
  PILEUS_FIELDS(ReportRecord, generated, parts)
};
std::string part_row(std::int32_t part) { return str(kReportRow, '/', part); }

constexpr std::string_view kHeader =
    "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,"
    "password_next_rotation,mfa_active,access_key_1_active,access_key_1_last_rotated,"
    "access_key_1_last_used_date,access_key_1_last_used_region,access_key_1_last_used_service,"
    "access_key_2_active,access_key_2_last_rotated,access_key_2_last_used_date,"
    "access_key_2_last_used_region,access_key_2_last_used_service,cert_1_active,"
    "cert_1_last_rotated,cert_2_active,cert_2_last_rotated";
constexpr std::string_view kNone = "N/A";

std::string date(Time time) {
  std::string text = iso8601(whole_seconds(time));
  text.pop_back();
  return text + "+00:00";
}
std::string_view flag(bool value) { return value ? "true" : "false"; }

}  // namespace

std::string report_row(const UserRecord& user, const std::optional<PasswordPolicyRecord>& policy,
                       const std::map<std::string, LastUsedRecord>& key_uses) {
  std::string row = str(user.name, ',', user.arn, ',', date(user.created), ',');
  if (user.login) {
    // Nobody can sign in with a password, so none was used.
    const auto age = policy ? policy->max_age_days : std::nullopt;
    row += str("true,no_information,", date(user.login->changed), ',',
               age ? date(user.login->changed + std::chrono::days(*age)) : std::string(kNone));
  } else {
    row += str("false,", kNone, ',', kNone, ',', kNone);
  }
  row += str(',', flag(!user.mfa_devices.empty()));
  for (std::size_t i = 0; i < 2; ++i) {
    if (i >= user.keys.size()) {
      row += str(",false,", kNone, ',', kNone, ',', kNone, ',', kNone);
      continue;
    }
    const auto& key = user.keys[i];
    const auto use = key_uses.find(key.id);
    const bool used = use != key_uses.end();
    row += str(',', flag(key.active), ',', date(key.created), ',',
               used ? date(use->second.when) : std::string(kNone), ',',
               used ? use->second.region : std::string(kNone), ',',
               used ? use->second.service : std::string(kNone));
  }
  for (std::size_t i = 0; i < 2; ++i) {
    const bool has = i < user.certificates.size();
    row += str(',', flag(has && user.certificates[i].active), ',',
               has ? date(user.certificates[i].uploaded) : std::string(kNone));
  }
  return row;
}

namespace {

// The account's own row: it has neither keys nor a password of Pileus's.
std::string root_row(const aws::Context& context) {
  std::string row =
      str("<root_account>,arn:", context.partition(), ":iam::", context.account(), ":root,", kNone,
          ",not_supported,", kNone, ",not_supported,not_supported,false");
  for (int i = 0; i < 2; ++i) row += str(",false,", kNone, ',', kNone, ',', kNone, ',', kNone);
  for (int i = 0; i < 2; ++i) row += str(",false,", kNone);
  return row;
}

Task<Result<std::string>> write_report(IamState& state, const aws::Context& context) {
  CO_TRY_ASSIGN(const auto policy, co_await load_password_policy(state, context));
  std::string report = str(kHeader, '\n', root_row(context));
  store::ScanOptions options;
  for (;;) {
    CO_TRY_ASSIGN(const auto users,
                  co_await store::load_page<UserRecord>(state.records, context.global_key(),
                                                        prefix_of<UserRecord>(), options));
    for (const auto& user : users) {
      std::map<std::string, LastUsedRecord> uses;
      for (const auto& key : user.value.keys) {
        CO_TRY_ASSIGN(auto use,
                      co_await last_use(state, context.global_key(), key_use_row(key.id)));
        if (use) uses[key.id] = std::move(*use);
      }
      report += str('\n', report_row(user.value, policy, uses));
    }
    if (users.size() < options.limit) co_return report;
    options.after = users.back().key;
  }
}

}  // namespace

// A report is written in the call that asks for it, so none is ever in progress for another.
Task<Result<GenerateCredentialReportOutput>> IamService::generate_credential_report(
    aws::Context& context, GenerateCredentialReportInput) {
  CO_TRY(co_await context.authorize("iam:GenerateCredentialReport", "*"));
  CO_TRY_ASSIGN(const auto kept,
                co_await store::load<ReportRecord>(state_->records, context.global_key(),
                                                   std::string(kReportRow)));
  GenerateCredentialReportOutput output;
  if (kept && context.now() < kept->value.generated + kReportLife) {
    output.state = "COMPLETE";
    co_return output;
  }
  CO_TRY_ASSIGN(const std::string report, co_await write_report(*state_, context));
  ReportRecord made{whole_seconds(context.now()), 0};
  store::Transaction transaction;
  for (std::size_t at = 0; at < report.size(); at += kPartBytes)
    transaction.put(part_row(made.parts++), to_base64(report.substr(at, kPartBytes)));
  transaction.put(std::string(kReportRow), store::encode(made));
  CO_TRY(co_await state_->records.commit(context.global_key(), std::move(transaction)));
  output.state = "STARTED";
  output.description = "No report exists. Starting a new report generation task";
  co_return output;
}

Task<Result<GetCredentialReportOutput>> IamService::get_credential_report(
    aws::Context& context, GetCredentialReportInput) {
  CO_TRY(co_await context.authorize("iam:GetCredentialReport", "*"));
  CO_TRY_ASSIGN(const auto kept,
                co_await store::load<ReportRecord>(state_->records, context.global_key(),
                                                   std::string(kReportRow)));
  if (!kept) co_return fail("ReportNotPresent", "No report exists", 410);
  if (context.now() >= kept->value.generated + kReportLife)
    co_return fail("ReportExpired",
                   "The most recent credential report has expired. Generate a new report with "
                   "GenerateCredentialReport.",
                   410);
  GetCredentialReportOutput output;
  auto& content = output.content.emplace();
  for (std::int32_t part = 0; part < kept->value.parts; ++part) {
    CO_TRY_ASSIGN(const auto row,
                  co_await state_->records.get(context.global_key(), part_row(part)));
    const auto text = row ? from_base64(row->value) : std::nullopt;
    if (!text) co_return fail("ServiceFailure", "The credential report cannot be read.", 500);
    content += *text;
  }
  output.report_format = "text/csv";
  output.generated_time = kept->value.generated;
  co_return output;
}

}  // namespace pileus::services::iam
