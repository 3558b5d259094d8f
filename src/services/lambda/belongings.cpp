// What goes when a function, version or alias goes: function URLs, settings of its events.
#include "services/lambda/async_records.h"
#include "services/lambda/impl.h"

namespace pileus::services::lambda {

Task<Result<Unit>> LambdaService::Impl::remove_belongings(FunctionRef ref) {
  const bool all = ref.qualifier.empty();
  store::ScanOptions page;
  page.limit = 100;
  for (;;) {
    CO_TRY_ASSIGN(const auto found,
                  co_await store::load_page<FunctionUrl>(given.records, ref.partition(),
                                                         url_prefix(ref.name), page));
    if (found.empty()) break;
    page.after = found.back().key;
    store::Transaction transaction;
    for (const auto& entry : found)
      if (all || entry.value.qualifier == ref.qualifier)
        transaction.remove(entry.key).remove(url_id_key(entry.value.id));
    if (!transaction.writes.empty())
      CO_TRY(co_await given.records.commit(ref.partition(), std::move(transaction)));
    for (const auto& entry : found) urls.forget(entry.value.id);
  }
  store::Transaction rest;
  if (all) {
    rest.remove(recursion_key(ref.name));
    store::ScanOptions configs;
    configs.limit = 400;
    CO_TRY_ASSIGN(const auto found, co_await given.records.scan(
                                        ref.partition(), event_config_prefix(ref.name), configs));
    for (const auto& entry : found) rest.remove(entry.key);
  } else {
    rest.remove(event_config_key(ref.name, ref.qualifier));
  }
  CO_TRY(co_await given.records.commit(ref.partition(), std::move(rest)));
  co_return Unit{};
}

}  // namespace pileus::services::lambda
