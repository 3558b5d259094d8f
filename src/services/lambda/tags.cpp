// ListTags, TagResource, UntagResource: of functions and code signing configurations.
#include "gen/lambda/ListTags.h"
#include "gen/lambda/TagResource.h"
#include "gen/lambda/UntagResource.h"
#include "services/lambda/impl.h"
#include "services/lambda/settings.h"

namespace pileus::services::lambda {
namespace {

using Tags = std::map<std::string, std::string>;

Result<FunctionRef> parse_tagged(const aws::Context& context, const std::string& arn) {
  if (!arn.starts_with("arn:"))
    return fail(invalid(str("'", arn, "' is not the ARN of a function.")));
  TRY_ASSIGN(auto ref, parse_function(context, arn));
  if (!ref.qualifier.empty())
    return fail(
        invalid("Tags on function aliases and versions are not supported. Please specify either a "
                "function ARN or an event source mapping ARN."));
  return ref;
}

bool is_code_signing(std::string_view arn) {
  return arn.find(":code-signing-config:") != std::string_view::npos;
}

}  // namespace

Task<Result<Unit>> LambdaService::Impl::change_tags(aws::Context& context, std::string arn,
                                                    std::string action,
                                                    aws::ConditionValues conditions,
                                                    std::function<Result<Unit>(Tags&)> change) {
  if (is_code_signing(arn)) {
    CO_TRY_ASSIGN(const auto ref, parse_code_signing(context, arn));
    CO_TRY(co_await load_code_signing(context, ref, action, std::move(conditions)));
    std::function<Result<Unit>(CodeSigning&)> of_config = [&change](CodeSigning& config) {
      return change(config.tags);
    };
    CO_TRY(co_await update_code_signing(ref, of_config));
    co_return Unit{};
  }
  CO_TRY_ASSIGN(const FunctionRef ref, parse_tagged(context, arn));
  CO_TRY(co_await authorize(context, ref, action, std::move(conditions)));
  std::function<Result<Unit>(Function&)> of_function = [&change](Function& function) {
    return change(function.tags);
  };
  CO_TRY(co_await update_function(ref, of_function));
  co_return Unit{};
}

Task<Result<gen::lambda::ListTagsOutput>> LambdaService::list_tags(aws::Context& context,
                                                                   gen::lambda::ListTagsInput in) {
  gen::lambda::ListTagsOutput out;
  if (is_code_signing(in.resource)) {
    CO_TRY_ASSIGN(const auto config, parse_code_signing(context, in.resource));
    CO_TRY_ASSIGN(auto found,
                  co_await impl_->load_code_signing(context, config, "lambda:ListTags"));
    out.tags = std::move(found.value.tags);
    co_return out;
  }
  CO_TRY_ASSIGN(const FunctionRef ref, parse_tagged(context, in.resource));
  CO_TRY(co_await impl_->authorize(context, ref, "lambda:ListTags"));
  CO_TRY_ASSIGN(auto function, co_await impl_->load_function(ref));
  out.tags = std::move(function.value.tags);
  co_return out;
}

Task<Result<gen::lambda::TagResourceOutput>> LambdaService::tag_resource(
    aws::Context& context, gen::lambda::TagResourceInput in) {
  std::function<Result<Unit>(Tags&)> change = [&in](Tags& tags) -> Result<Unit> {
    for (const auto& [key, value] : in.tags) tags[key] = value;
    return check_tags(tags);
  };
  CO_TRY(co_await impl_->change_tags(context, in.resource, "lambda:TagResource",
                                     tag_conditions(in.tags), change));
  co_return gen::lambda::TagResourceOutput{};
}

Task<Result<gen::lambda::UntagResourceOutput>> LambdaService::untag_resource(
    aws::Context& context, gen::lambda::UntagResourceInput in) {
  std::function<Result<Unit>(Tags&)> change = [&in](Tags& tags) -> Result<Unit> {
    for (const auto& key : in.tag_keys) tags.erase(key);
    return Unit{};
  };
  CO_TRY(co_await impl_->change_tags(context, in.resource, "lambda:UntagResource",
                                     {{"aws:TagKeys", in.tag_keys}}, change));
  co_return gen::lambda::UntagResourceOutput{};
}

}  // namespace pileus::services::lambda
