#include "gen/iam/DeleteSigningCertificate.h"
#include "gen/iam/ListSigningCertificates.h"
#include "gen/iam/UpdateSigningCertificate.h"
#include "gen/iam/UploadSigningCertificate.h"
#include "net/certificate.h"
#include "services/iam/edit.h"
#include "services/iam/limits.h"
#include "services/iam/shapes.h"
#include "services/iam/user_meant.h"

namespace pileus::services::iam {

using namespace gen::iam;

namespace {

constexpr std::size_t kIdCharacters = 32;

std::string fingerprint_row(std::string_view fingerprint) {
  return str("iam/signing_certificate/", fingerprint);
}

SigningCertificate shape_of(const UserRecord& user, const SigningCertificateRecord& certificate) {
  return {user.name, certificate.id, certificate.body, status_word(certificate.active),
          certificate.uploaded};
}

Error no_such_certificate(std::string_view id) {
  return no_such_entity(str("The Certificate with id ", id, " cannot be found."));
}

}  // namespace

Task<Result<UploadSigningCertificateOutput>> IamService::upload_signing_certificate(
    aws::Context& context, UploadSigningCertificateInput in) {
  CO_TRY_ASSIGN(const std::string name, user_meant(in.user_name, context));
  for (Edit edit(*state_, context);;) {
    CO_TRY_ASSIGN(UserRecord * user,
                  co_await edit.open<UserRecord>("iam:UploadSigningCertificate", name));
    const auto facts = net::read_certificate(in.certificate_body);
    if (!facts)
      co_return fail(malformed_certificate(
          "Unable to parse certificate. Please ensure the certificate is in PEM format."));
    if (facts->not_after <= context.now())
      co_return fail("InvalidCertificate", "The certificate has expired.", 400);
    CO_TRY_ASSIGN(const auto known, co_await state_->records.get(
                                        context.global_key(), fingerprint_row(facts->fingerprint)));
    if (known)
      co_return fail("DuplicateCertificate",
                     "The same certificate is associated with an IAM user in the account.", 409);
    if (user->certificates.size() >= kSigningCertificatesPerUser)
      co_return fail(quota_exceeded("CertificatesPerUser", kSigningCertificatesPerUser));
    SigningCertificateRecord certificate;
    certificate.id = upper_id(state_->random, kIdCharacters);
    certificate.body = std::string(trim(in.certificate_body));
    certificate.fingerprint = facts->fingerprint;
    certificate.uploaded = whole_seconds(context.now());
    edit.expect_no_row(fingerprint_row(facts->fingerprint));
    edit.put_row(fingerprint_row(facts->fingerprint), user->id);
    UploadSigningCertificateOutput output{shape_of(*user, certificate)};
    user->certificates.push_back(std::move(certificate));
    CO_TRY_ASSIGN(const bool saved, co_await edit.commit());
    if (saved) co_return output;
  }
}

Task<Result<ListSigningCertificatesOutput>> IamService::list_signing_certificates(
    aws::Context& context, ListSigningCertificatesInput in) {
  CO_TRY_ASSIGN(const std::string name, user_meant(in.user_name, context));
  Edit edit(*state_, context);
  CO_TRY_ASSIGN(UserRecord * user,
                co_await edit.open<UserRecord>("iam:ListSigningCertificates", name));
  CO_TRY_ASSIGN(const auto page, page_of(ids_of(user->certificates), in));
  ListSigningCertificatesOutput output;
  for (const auto& id : page.items)
    output.certificates.push_back(shape_of(*user, *find_by_id(user->certificates, id)));
  tell_page(page, output);
  co_return output;
}

Task<Result<UpdateSigningCertificateOutput>> IamService::update_signing_certificate(
    aws::Context& context, UpdateSigningCertificateInput in) {
  CO_TRY_ASSIGN(const std::string name, user_meant(in.user_name, context));
  for (Edit edit(*state_, context);;) {
    CO_TRY_ASSIGN(UserRecord * user,
                  co_await edit.open<UserRecord>("iam:UpdateSigningCertificate", name));
    auto* certificate = find_by_id(user->certificates, in.certificate_id);
    if (!certificate) co_return fail(no_such_certificate(in.certificate_id));
    CO_TRY_ASSIGN(certificate->active, is_active(in.status));
    CO_TRY_ASSIGN(const bool saved, co_await edit.commit());
    if (saved) co_return UpdateSigningCertificateOutput{};
  }
}

Task<Result<DeleteSigningCertificateOutput>> IamService::delete_signing_certificate(
    aws::Context& context, DeleteSigningCertificateInput in) {
  CO_TRY_ASSIGN(const std::string name, user_meant(in.user_name, context));
  for (Edit edit(*state_, context);;) {
    CO_TRY_ASSIGN(UserRecord * user,
                  co_await edit.open<UserRecord>("iam:DeleteSigningCertificate", name));
    const auto* certificate = find_by_id(user->certificates, in.certificate_id);
    if (!certificate) co_return fail(no_such_certificate(in.certificate_id));
    edit.remove_row(fingerprint_row(certificate->fingerprint));
    std::erase_if(user->certificates, [&](const auto& it) { return it.id == in.certificate_id; });
    CO_TRY_ASSIGN(const bool saved, co_await edit.commit());
    if (saved) co_return DeleteSigningCertificateOutput{};
  }
}

}  // namespace pileus::services::iam
