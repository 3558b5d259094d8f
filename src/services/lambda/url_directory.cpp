#include "services/lambda/url_directory.h"

#include "store/typed.h"

namespace pileus::services::lambda {

Task<Result<std::shared_ptr<const KnownUrl>>> UrlDirectory::find(UrlHost host) {
  std::uint64_t changes = 0;
  {
    std::shared_lock lock(mutex_);
    const auto found = known_.find(host.id);
    if (found != known_.end() && found->second->ref.region == host.region) co_return found->second;
    changes = changes_;
  }
  const std::string partition = host.account + "/" + host.region;
  CO_TRY_ASSIGN(const auto owner,
                co_await store::load<UrlOwner>(records_, partition, url_id_key(host.id)));
  if (!owner) co_return std::shared_ptr<const KnownUrl>();
  CO_TRY_ASSIGN(const auto url,
                co_await store::load<FunctionUrl>(
                    records_, partition, url_key(owner->value.function, owner->value.qualifier)));
  if (!url || url->value.id != host.id) co_return std::shared_ptr<const KnownUrl>();
  auto known = std::make_shared<const KnownUrl>(KnownUrl{
      {"aws", host.account, host.region, url->value.function, url->value.qualifier}, url->value});
  std::unique_lock lock(mutex_);
  if (changes == changes_) {  // else it may be an old one
    if (known_.size() >= kMostKnown) known_.clear();
    known_[host.id] = known;
  }
  co_return known;
}

Loop* UrlDirectory::place(const UrlHost& host, net::Loops& loops) const {
  std::shared_lock lock(mutex_);
  const auto found = known_.find(host.id);
  return found == known_.end() ? nullptr : &loops.home(found->second->ref.name);
}

void UrlDirectory::forget(const std::string& id) {
  std::unique_lock lock(mutex_);
  known_.erase(id);
  ++changes_;
}

void UrlDirectory::forget_all() {
  std::unique_lock lock(mutex_);
  known_.clear();
  ++changes_;
}

}  // namespace pileus::services::lambda
