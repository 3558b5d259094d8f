#include "store/hostile_records.h"

#include <mutex>

namespace pileus::store {
namespace {

std::unexpected<Error> injected(const char* what) {
  return fail(std::string(errc::kIo), std::string("injected: ") + what, 500);
}

class HostileRecords final : public Records {
 public:
  HostileRecords(std::unique_ptr<Records> engine, Random& random, Hostility hostility)
      : engine_(std::move(engine)), random_(random), hostility_(hostility) {}

  Task<Result<std::optional<Entry>>> get(std::string partition, std::string key) override {
    if (happens(hostility_.fail_before)) co_return injected("a read failed");
    co_return co_await engine_->get(std::move(partition), std::move(key));
  }
  Task<Result<std::vector<Entry>>> scan(std::string partition, std::string prefix,
                                        ScanOptions options) override {
    if (happens(hostility_.fail_before)) co_return injected("a read failed");
    co_return co_await engine_->scan(std::move(partition), std::move(prefix), std::move(options));
  }
  Task<Result<Revision>> commit(std::string partition, Transaction transaction) override {
    if (happens(hostility_.fail_before)) co_return injected("nothing was committed");
    if (happens(hostility_.conflict))
      co_return fail(std::string(errc::kConflict), "injected: a conflict", 409);
    auto done = co_await engine_->commit(std::move(partition), std::move(transaction));
    if (done && happens(hostility_.fail_after)) co_return injected("the answer was lost");
    co_return done;
  }
  Task<Result<ChangeBatch>> watch(std::string partition, std::string prefix,
                                  std::string cursor) override {
    if (happens(hostility_.fail_before)) co_return injected("a watch failed");
    const std::string place = partition + '\0' + prefix;
    std::string from = cursor;
    {
      std::lock_guard lock(mutex_);
      const auto before = before_.find({place, cursor});
      if (before != before_.end() && happens(hostility_.repeat)) from = before->second;
    }
    auto batch = co_await engine_->watch(std::move(partition), std::move(prefix), from);
    if (batch && !cursor.empty() && batch->cursor != cursor) {
      std::lock_guard lock(mutex_);
      if (before_.size() > kRemembered) before_.clear();
      before_[{place, batch->cursor}] = cursor;
    }
    if (happens(hostility_.delay)) CO_TRY(co_await sleep_for(Duration(random_.below(20'000))));
    co_return batch;
  }
  Task<Result<std::vector<std::string>>> partitions() override {
    if (happens(hostility_.fail_before)) co_return injected("a read failed");
    co_return co_await engine_->partitions();
  }
  Task<Result<Unit>> reset() override { co_return co_await engine_->reset(); }

 private:
  static constexpr std::size_t kRemembered = 10'000;
  bool happens(double probability) { return random_.unit() < probability; }
  std::unique_ptr<Records> engine_;
  Random& random_;
  Hostility hostility_;
  std::mutex mutex_;  // guards before_
  std::map<std::pair<std::string, std::string>, std::string>
      before_;  // place, cursor → the one before
};

}  // namespace

std::unique_ptr<Records> make_hostile_records(std::unique_ptr<Records> engine, Random& random,
                                              Hostility hostility) {
  return std::make_unique<HostileRecords>(std::move(engine), random, hostility);
}

}  // namespace pileus::store
