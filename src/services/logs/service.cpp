#include "services/logs/service.h"

#include "base/log.h"
#include "services/logs/state.h"

namespace pileus::services::logs {

LogsService::LogsService(store::Records& records, store::Journals& journals, Clock& clock,
                         Random& random)
    : state_(std::make_unique<LogsState>(records, journals, clock, random)) {}
LogsService::~LogsService() = default;

void LogsService::reset() { state_->forget(); }

Task<Result<std::uint64_t>> LogsService::wait_for_events(std::string account, std::string region,
                                                         std::string group, std::uint64_t seen) {
  return state_->wait(str(account, '/', region, '\0', group), seen);
}

namespace {

constexpr std::size_t kScan = 500;

Task<Result<Unit>> finish_deletions(LogsState* state, std::string partition) {
  CO_TRY_ASSIGN(auto gone, co_await store::load_page<GoneRecord>(state->records, partition,
                                                                 std::string(kGone), {}));
  for (auto& entry : gone)
    CO_TRY(co_await state->clean_up(partition, std::move(entry.key), std::move(entry.value)));
  co_return Unit{};
}

Task<Result<Unit>> drop_expired(LogsState* state, std::string partition, GroupRecord group) {
  const Time before = group.expired_before(state->clock.now());
  const std::string folder = journals_of(partition, group);
  for (std::string after;;) {
    CO_TRY_ASSIGN(const auto journals, co_await state->journals.list(folder, kScan, after));
    for (const auto& journal : journals)
      CO_TRY(co_await state->journals.drop_before(journal, before));
    if (journals.size() < kScan) co_return Unit{};
    after = journals.back();
  }
}

Task<Result<Unit>> tidy_partition(LogsState* state, std::string partition) {
  CO_TRY(co_await finish_deletions(state, partition));
  for (std::string after;;) {
    CO_TRY_ASSIGN(auto groups, co_await store::load_page<GroupRecord>(
                                   state->records, partition, std::string(kGroups),
                                   {.limit = kScan, .after = after}));
    for (auto& group : groups)
      if (group.value.retention_days)
        CO_TRY(co_await drop_expired(state, partition, std::move(group.value)));
    if (groups.size() < kScan) co_return Unit{};
    after = std::move(groups.back().key);
  }
}

}  // namespace

Task<Result<Unit>> LogsService::enforce_retention() {
  CO_TRY_ASSIGN(const auto partitions, co_await state_->records.partitions());
  for (const auto& partition : partitions) CO_TRY(co_await tidy_partition(state_.get(), partition));
  co_return Unit{};
}

Task<void> LogsService::keep_house() {
  for (;;) {
    const Time next = state_->clock.now() + kHousekeeping;
    {
      auto busy = state_->clock.hold();
      const auto done = co_await enforce_retention();
      if (!done && done.error().is(errc::kCancelled)) co_return;
      if (!done)
        log::warn("expired log events could not be dropped; tried again tomorrow",
                  {{"error", done.error().message()}});
    }
    if (!co_await sleep_until(state_->clock, next)) co_return;
  }
}

}  // namespace pileus::services::logs
