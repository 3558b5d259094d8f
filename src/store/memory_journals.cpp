#include "store/memory_journals.h"

#include "store/journal_chunks.h"
#include "store/watched_records.h"

namespace pileus::store {
namespace {

class MemoryJournals final : public Journals {
 public:
  Task<Result<std::uint64_t>> append(std::string journal,
                                     std::vector<JournalEntry> entries) override {
    CO_TRY(check_append(journal, entries));
    std::uint64_t first;
    {
      std::lock_guard lock(mutex_);
      first = next_;
      for (auto& entry : entries) {
        auto& kept = journals_[journal];
        kept.bytes += entry.value.size();
        kept.last = next_;
        kept.entries.emplace(std::pair(micros(entry.time), next_++), std::move(entry.value));
      }
    }
    watchers_.notify_partition(journal);
    co_return first;
  }

  Task<Result<JournalPage>> read(std::string journal, JournalRead query) override {
    CO_TRY_ASSIGN(auto page, PageBuilder::make(query));
    std::lock_guard lock(mutex_);
    const auto found = journals_.find(journal);
    if (found == journals_.end()) co_return JournalPage();
    for (const auto& [key, value] : found->second.entries)
      page.show({key.first, key.second, value});
    co_return page.finish(false);
  }

  Task<Result<Unit>> wait(std::string journal, std::uint64_t sequence) override {
    for (;;) {
      Watchers::Ticket ticket(watchers_, journal, "");
      if (last(journal) >= sequence) co_return Unit{};
      CO_TRY(co_await ticket.changed());
    }
  }

  Task<Result<Unit>> drop_before(std::string journal, Time before) override {
    std::lock_guard lock(mutex_);
    const auto found = journals_.find(journal);
    if (found == journals_.end()) co_return Unit{};
    auto& kept = found->second;
    const auto end = kept.entries.lower_bound({micros(before), 0});
    for (auto at = kept.entries.begin(); at != end; at = kept.entries.erase(at))
      kept.bytes -= at->second.size();
    if (kept.entries.empty()) journals_.erase(found);
    co_return Unit{};
  }

  Task<Result<Unit>> remove(std::string journal) override {
    std::lock_guard lock(mutex_);
    if (!journal.ends_with('/')) {
      journals_.erase(journal);
      co_return Unit{};
    }
    auto at = journals_.lower_bound(journal);
    while (at != journals_.end() && at->first.starts_with(journal)) at = journals_.erase(at);
    co_return Unit{};
  }

  Task<Result<std::vector<std::string>>> list(std::string prefix, std::size_t limit,
                                              std::string after) override {
    std::lock_guard lock(mutex_);
    std::vector<std::string> names;
    auto at = after < prefix ? journals_.lower_bound(prefix) : journals_.upper_bound(after);
    for (; at != journals_.end() && at->first.starts_with(prefix) && names.size() < limit; ++at)
      names.push_back(at->first);
    co_return names;
  }

  Task<Result<std::uint64_t>> stored_bytes(std::string journal) override {
    std::lock_guard lock(mutex_);
    const auto found = journals_.find(journal);
    co_return found == journals_.end() ? 0 : found->second.bytes;
  }

  Task<Result<Unit>> reset() override {
    std::lock_guard lock(mutex_);
    journals_.clear();
    co_return Unit{};
  }

 private:
  struct Journal {
    std::map<std::pair<std::int64_t, std::uint64_t>, std::string> entries;
    std::uint64_t bytes = 0;
    std::uint64_t last = 0;
  };
  std::uint64_t last(const std::string& journal) {
    std::lock_guard lock(mutex_);
    const auto found = journals_.find(journal);
    return found == journals_.end() ? 0 : found->second.last;
  }
  std::mutex mutex_;  // guards everything but watchers_
  std::map<std::string, Journal> journals_;
  std::uint64_t next_ = 1;
  Watchers watchers_;  // who waits for which journal
};

}  // namespace

std::unique_ptr<Journals> make_memory_journals() { return std::make_unique<MemoryJournals>(); }

}  // namespace pileus::store
