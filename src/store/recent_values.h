// RecentValues: a bounded cache of what keys hold (or that they do not exist). Not locked.
#pragma once

#include <list>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include "store/records.h"

namespace pileus::store {

// A value is shared by everything that still speaks of it: table in waiting, cache, ring, readers.
using SharedValue = std::shared_ptr<const std::string>;  // null: deleted

struct Item {
  SharedValue value;
  Revision revision = 0;
};

class RecentValues {
 public:
  explicit RecentValues(std::size_t bytes) : limit_(bytes) {}

  const Item* find(std::string_view id) {
    const auto found = index_.find(id);
    if (found == index_.end()) return nullptr;
    order_.splice(order_.begin(), order_, found->second);
    return &found->second->second;
  }
  void put(std::string_view id, Item item) {
    erase(id);
    bytes_ += cost(id, item);
    order_.emplace_front(std::string(id), std::move(item));
    index_.emplace(order_.front().first, order_.begin());
    while (bytes_ > limit_) erase(order_.back().first);
  }
  void erase(std::string_view id) {
    const auto found = index_.find(id);
    if (found == index_.end()) return;
    const auto place = found->second;
    bytes_ -= cost(place->first, place->second);
    index_.erase(found);
    order_.erase(place);
  }
  void clear() {
    index_.clear();
    order_.clear();
    bytes_ = 0;
  }

 private:
  static constexpr std::size_t kOverhead = 200;  // nodes and pointers
  static std::size_t cost(std::string_view id, const Item& item) {
    return kOverhead + id.size() + (item.value ? item.value->size() : 0);
  }
  using Order = std::list<std::pair<std::string, Item>>;  // the most recent first
  std::size_t limit_;
  std::size_t bytes_ = 0;
  Order order_;
  std::unordered_map<std::string_view, Order::iterator> index_;
};

}  // namespace pileus::store
