#include "services/lambda/url_policy.h"

#include "base/text.h"
#include "store/typed.h"

namespace pileus::services::lambda {
namespace {

struct Document {
  std::string document;
  PILEUS_FIELDS(Document, document)
};

}  // namespace

Task<Result<std::string>> url_policy(store::Records* records, FunctionRef ref) {
  const std::string key = str("lambda/policy/", ref.name, "/", ref.qualifier);
  CO_TRY_ASSIGN(auto found, co_await store::load<Document>(*records, ref.partition(), key));
  co_return found ? std::move(found->value.document) : std::string();
}

}  // namespace pileus::services::lambda
