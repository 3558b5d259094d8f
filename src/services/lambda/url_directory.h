// UrlDirectory: which function a URL's id means, kept so that a request needs no store. Whoever
// changes a URL or removes a function forgets it here. Any thread.
#pragma once

#include <memory>
#include <shared_mutex>
#include <unordered_map>

#include "net/server.h"
#include "services/lambda/names.h"
#include "services/lambda/url_host.h"
#include "services/lambda/url_records.h"
#include "store/records.h"

namespace pileus::services::lambda {

struct KnownUrl {
  FunctionRef ref;  // with the alias
  FunctionUrl url;
};

class UrlDirectory {
 public:
  static constexpr std::size_t kMostKnown = 10'000;

  explicit UrlDirectory(store::Records& records) : records_(records) {}
  // nullptr: no such URL.
  Task<Result<std::shared_ptr<const KnownUrl>>> find(UrlHost host);
  // The home loop of its function, once known; else nullptr.
  Loop* place(const UrlHost& host, net::Loops& loops) const;
  void forget(const std::string& id);
  void forget_all();

 private:
  store::Records& records_;
  mutable std::shared_mutex mutex_;                                         // guards what follows
  std::unordered_map<std::string, std::shared_ptr<const KnownUrl>> known_;  // by id; shared: in use
  std::uint64_t changes_ = 0;
};

}  // namespace pileus::services::lambda
