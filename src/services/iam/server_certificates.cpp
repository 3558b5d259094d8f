#include "gen/iam/DeleteServerCertificate.h"
#include "gen/iam/GetServerCertificate.h"
#include "gen/iam/ListServerCertificateTags.h"
#include "gen/iam/ListServerCertificates.h"
#include "gen/iam/TagServerCertificate.h"
#include "gen/iam/UntagServerCertificate.h"
#include "gen/iam/UpdateServerCertificate.h"
#include "gen/iam/UploadServerCertificate.h"
#include "net/certificate.h"
#include "services/iam/edit.h"
#include "services/iam/limits.h"
#include "services/iam/shapes.h"

namespace pileus::services::iam {

using namespace gen::iam;

namespace {

ServerCertificateMetadata metadata_of(const ServerCertificateRecord& certificate) {
  ServerCertificateMetadata shape;
  shape.path = certificate.path;
  shape.server_certificate_name = certificate.name;
  shape.server_certificate_id = certificate.id;
  shape.arn = certificate.arn;
  shape.upload_date = certificate.created;
  shape.expiration = certificate.expires;
  return shape;
}

// When the certificate ends, where it, its key and its chain fit together.
Result<Time> check_certificate(const UploadServerCertificateInput& in) {
  const auto facts = net::read_certificate(in.certificate_body);
  if (!facts)
    return fail(malformed_certificate(
        "Unable to parse certificate. Please ensure the certificate is in PEM format."));
  switch (net::match_private_key(in.certificate_body, in.private_key)) {
    case net::KeyMatch::kBelongs:
      break;
    case net::KeyMatch::kEncrypted:
      return fail(malformed_certificate("Unable to parse key; the private key was encrypted."));
    case net::KeyMatch::kUnreadable:
      return fail(malformed_certificate("Private Key not in PEM format."));
    case net::KeyMatch::kOther:
      return fail("KeyPairMismatch", "Private Key and Certificate do not match.", 400);
  }
  if (!in.certificate_chain) return facts->not_after;
  if (in.certificate_chain->size() > kChainBytes)
    return fail(
        limit_exceeded(str("Pileus keeps certificate chains of up to ", kChainBytes, " bytes.")));
  if (const auto bad = net::first_out_of_order(in.certificate_body, *in.certificate_chain))
    return fail(malformed_certificate(
        str("Unable to validate certificate chain. The certificate chain must start with the "
            "immediate signing certificate, followed by any intermediaries in order. The index "
            "within the chain of the invalid certificate is: ",
            *bad)));
  return facts->not_after;
}

}  // namespace

Task<Result<UploadServerCertificateOutput>> IamService::upload_server_certificate(
    aws::Context& context, UploadServerCertificateInput in) {
  CO_TRY_ASSIGN(const Tags tags, tags_of(in.tags));
  const std::string path = in.path.value_or("/");
  const std::string arn =
      arn_of<ServerCertificateRecord>(context, path, in.server_certificate_name);
  CO_TRY(co_await context.authorize("iam:UploadServerCertificate", arn, request_conditions(tags)));
  CO_TRY_ASSIGN(const Time expires, check_certificate(in));
  CO_TRY(co_await check_quota<ServerCertificateRecord>(
      *state_, context, "ServerCertificatesPerAccount", kServerCertificates));
  for (Edit edit(*state_, context);;) {
    CO_TRY_ASSIGN(ServerCertificateRecord * certificate,
                  co_await edit.create(new_entity<ServerCertificateRecord>(
                      *state_, context, path, in.server_certificate_name, arn)));
    certificate->tags = tags;
    certificate->expires = expires;
    certificate->body = std::string(trim(in.certificate_body));
    if (in.certificate_chain) certificate->chain = std::string(trim(*in.certificate_chain));
    certificate->private_key = to_base64(state_->secrets.seal(in.private_key, certificate->id));
    UploadServerCertificateOutput output;
    output.server_certificate_metadata = metadata_of(*certificate);
    if (!tags.empty()) output.tags = tag_list(tags);
    CO_TRY_ASSIGN(const bool saved, co_await edit.commit());
    if (saved) co_return output;
  }
}

Task<Result<GetServerCertificateOutput>> IamService::get_server_certificate(
    aws::Context& context, GetServerCertificateInput in) {
  Edit edit(*state_, context);
  CO_TRY_ASSIGN(ServerCertificateRecord * certificate,
                co_await edit.open<ServerCertificateRecord>("iam:GetServerCertificate",
                                                            in.server_certificate_name));
  GetServerCertificateOutput output;
  auto& shape = output.server_certificate;
  shape.server_certificate_metadata = metadata_of(*certificate);
  shape.certificate_body = certificate->body;
  if (!certificate->chain.empty()) shape.certificate_chain = certificate->chain;
  if (!certificate->tags.empty()) shape.tags = tag_list(certificate->tags);
  co_return output;
}

Task<Result<ListServerCertificatesOutput>> IamService::list_server_certificates(
    aws::Context& context, ListServerCertificatesInput in) {
  CO_TRY(co_await context.authorize(
      "iam:ListServerCertificates",
      arn_of<ServerCertificateRecord>(context, in.path_prefix.value_or("/"), "")));
  CO_TRY_ASSIGN(const auto page,
                co_await load_records<ServerCertificateRecord>(
                    state_->records, context.global_key(), prefix_of<ServerCertificateRecord>(),
                    in.marker, in.max_items, under_path<ServerCertificateRecord>(in.path_prefix)));
  ListServerCertificatesOutput output;
  for (const auto& certificate : page.items)
    output.server_certificate_metadata_list.push_back(metadata_of(certificate));
  tell_page(page, output);
  co_return output;
}

Task<Result<UpdateServerCertificateOutput>> IamService::update_server_certificate(
    aws::Context& context, UpdateServerCertificateInput in) {
  for (Edit edit(*state_, context);;) {
    CO_TRY_ASSIGN(ServerCertificateRecord * certificate,
                  co_await edit.open<ServerCertificateRecord>("iam:UpdateServerCertificate",
                                                              in.server_certificate_name));
    ServerCertificateRecord renamed = *certificate;
    renamed.path = in.new_path.value_or(certificate->path);
    renamed.name = in.new_server_certificate_name.value_or(certificate->name);
    renamed.arn = moved_arn<ServerCertificateRecord>(certificate->arn, renamed.path, renamed.name);
    if (renamed.arn != certificate->arn)
      CO_TRY(co_await context.authorize("iam:UpdateServerCertificate", renamed.arn));
    if (iequals(renamed.name, certificate->name)) {
      *certificate = std::move(renamed);
    } else {
      edit.remove(*certificate);
      CO_TRY(co_await edit.create(std::move(renamed)));
    }
    CO_TRY_ASSIGN(const bool saved, co_await edit.commit());
    if (saved) co_return UpdateServerCertificateOutput{};
  }
}

Task<Result<DeleteServerCertificateOutput>> IamService::delete_server_certificate(
    aws::Context& context, DeleteServerCertificateInput in) {
  for (Edit edit(*state_, context);;) {
    CO_TRY_ASSIGN(ServerCertificateRecord * certificate,
                  co_await edit.open<ServerCertificateRecord>("iam:DeleteServerCertificate",
                                                              in.server_certificate_name));
    edit.remove(*certificate);
    CO_TRY_ASSIGN(const bool saved, co_await edit.commit());
    if (saved) co_return DeleteServerCertificateOutput{};
  }
}

Task<Result<TagServerCertificateOutput>> IamService::tag_server_certificate(
    aws::Context& context, TagServerCertificateInput in) {
  CO_TRY_ASSIGN(const Tags added, tags_of(std::move(in.tags)));
  for (Edit edit(*state_, context);;) {
    CO_TRY_ASSIGN(
        ServerCertificateRecord * certificate,
        co_await edit.open<ServerCertificateRecord>(
            "iam:TagServerCertificate", in.server_certificate_name, request_conditions(added)));
    CO_TRY(add_tags(certificate->tags, added));
    CO_TRY_ASSIGN(const bool saved, co_await edit.commit());
    if (saved) co_return TagServerCertificateOutput{};
  }
}

Task<Result<UntagServerCertificateOutput>> IamService::untag_server_certificate(
    aws::Context& context, UntagServerCertificateInput in) {
  for (Edit edit(*state_, context);;) {
    CO_TRY_ASSIGN(ServerCertificateRecord * certificate,
                  co_await edit.open<ServerCertificateRecord>("iam:UntagServerCertificate",
                                                              in.server_certificate_name,
                                                              tag_key_conditions(in.tag_keys)));
    remove_tags(certificate->tags, in.tag_keys);
    CO_TRY_ASSIGN(const bool saved, co_await edit.commit());
    if (saved) co_return UntagServerCertificateOutput{};
  }
}

Task<Result<ListServerCertificateTagsOutput>> IamService::list_server_certificate_tags(
    aws::Context& context, ListServerCertificateTagsInput in) {
  Edit edit(*state_, context);
  CO_TRY_ASSIGN(ServerCertificateRecord * certificate,
                co_await edit.open<ServerCertificateRecord>("iam:ListServerCertificateTags",
                                                            in.server_certificate_name));
  co_return tag_page<ListServerCertificateTagsOutput>(certificate->tags, in);
}

}  // namespace pileus::services::iam
