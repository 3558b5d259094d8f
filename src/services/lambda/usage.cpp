#include "services/lambda/usage.h"

#include "base/log.h"

namespace pileus::services::lambda {
namespace {
constexpr std::size_t kAppendAtOnce = 5'000;
}

void UsageMeter::add(const std::string& partition, Time now, const Usage& usage) {
  if (count_ >= kMaxUnmetered) return;  // said in flush()
  ++count_;
  waiting_[partition + "/usage/lambda"].push_back({now, store::encode(usage)});
  if (!std::exchange(flushing_, true)) group_.spawn(flush(this));
}

Task<void> UsageMeter::flush(UsageMeter* self) {
  auto waited = co_await sleep_for(kMeterEvery);
  (void)waited;  // cut short: write at once
  while (!self->waiting_.empty()) {
    const std::string journal = self->waiting_.begin()->first;
    auto& all = self->waiting_.begin()->second;
    const auto many = std::min(all.size(), kAppendAtOnce);
    std::vector<store::JournalEntry> some(
        std::make_move_iterator(all.begin()),
        std::make_move_iterator(all.begin() + static_cast<std::ptrdiff_t>(many)));
    all.erase(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(many));
    if (all.empty()) self->waiting_.erase(self->waiting_.begin());
    self->count_ -= std::min(self->count_, many);
    if (auto done = co_await self->journals_.append(journal, std::move(some)); !done)
      log::error("usage was not metered", {{"journal", journal},
                                           {"entries", std::to_string(many)},
                                           {"why", done.error().message()}});
  }
  self->flushing_ = false;
}

}  // namespace pileus::services::lambda
