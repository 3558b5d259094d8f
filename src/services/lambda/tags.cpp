// ListTags, TagResource, UntagResource: of functions.
#include "gen/lambda/ListTags.h"
#include "gen/lambda/TagResource.h"
#include "gen/lambda/UntagResource.h"
#include "services/lambda/impl.h"
#include "services/lambda/settings.h"

namespace pileus::services::lambda {
namespace {

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

}  // namespace

Task<Result<gen::lambda::ListTagsOutput>> LambdaService::list_tags(aws::Context& context,
                                                                   gen::lambda::ListTagsInput in) {
  CO_TRY_ASSIGN(const FunctionRef ref, parse_tagged(context, in.resource));
  CO_TRY(co_await context.authorize("lambda:ListTags", ref.arn()));
  CO_TRY_ASSIGN(auto function, co_await impl_->load_function(ref));
  gen::lambda::ListTagsOutput out;
  out.tags = std::move(function.value.tags);
  co_return out;
}

Task<Result<gen::lambda::TagResourceOutput>> LambdaService::tag_resource(
    aws::Context& context, gen::lambda::TagResourceInput in) {
  CO_TRY_ASSIGN(const FunctionRef ref, parse_tagged(context, in.resource));
  CO_TRY(co_await context.authorize("lambda:TagResource", ref.arn()));
  std::function<Result<Unit>(Function&)> change = [&in](Function& function) -> Result<Unit> {
    for (const auto& [key, value] : in.tags) function.tags[key] = value;
    return check_tags(function.tags);
  };
  CO_TRY(co_await impl_->update_function(ref, change));
  co_return gen::lambda::TagResourceOutput{};
}

Task<Result<gen::lambda::UntagResourceOutput>> LambdaService::untag_resource(
    aws::Context& context, gen::lambda::UntagResourceInput in) {
  CO_TRY_ASSIGN(const FunctionRef ref, parse_tagged(context, in.resource));
  CO_TRY(co_await context.authorize("lambda:UntagResource", ref.arn()));
  std::function<Result<Unit>(Function&)> change = [&in](Function& function) -> Result<Unit> {
    for (const auto& key : in.tag_keys) function.tags.erase(key);
    return Unit{};
  };
  CO_TRY(co_await impl_->update_function(ref, change));
  co_return gen::lambda::UntagResourceOutput{};
}

}  // namespace pileus::services::lambda
