// Cache: bounded, least recently used goes first; entries are believed for a while and dropped when
// what they come from changes. Any thread; the lock is held for a look-up only.
#pragma once

#include <atomic>
#include <chrono>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

namespace pileus::aws {

template <class Key, class Value>
class Cache {
 public:
  using Instant = std::chrono::nanoseconds;  // RealTime::monotonic
  struct Found {
    Value value;
    bool fresh;  // false: believed no longer, but what it was
  };

  explicit Cache(std::size_t capacity) : capacity_(capacity) {}

  std::optional<Found> get(const Key& key, Instant now) {
    std::lock_guard lock(mutex_);
    const auto found = index_.find(key);
    if (found == index_.end()) return std::nullopt;
    order_.splice(order_.begin(), order_, found->second);
    return Found{found->second->value, now < found->second->expires};
  }

  // Take one before reading what the value is made of: put() does not keep a value when anything
  // was dropped since.
  std::uint64_t ticket() const { return drops_.load(std::memory_order_acquire); }
  void put(const Key& key, Value value, std::uint64_t ticket, Instant expires) {
    std::lock_guard lock(mutex_);
    if (ticket != drops_.load(std::memory_order_relaxed)) return;
    const auto found = index_.find(key);
    if (found != index_.end()) {
      found->second->value = std::move(value);
      found->second->expires = expires;
      return order_.splice(order_.begin(), order_, found->second);
    }
    order_.push_front({key, std::move(value), expires});
    index_.emplace(key, order_.begin());
    if (index_.size() <= capacity_) return;
    index_.erase(order_.back().key);
    order_.pop_back();
  }

  void drop(const Key& key) {
    std::lock_guard lock(mutex_);
    drops_.fetch_add(1, std::memory_order_release);
    const auto found = index_.find(key);
    if (found == index_.end()) return;
    order_.erase(found->second);
    index_.erase(found);
  }
  void clear() {
    std::lock_guard lock(mutex_);
    drops_.fetch_add(1, std::memory_order_release);
    index_.clear();
    order_.clear();
  }
  std::size_t size() const {
    std::lock_guard lock(mutex_);
    return index_.size();
  }

 private:
  struct Item {
    Key key;
    Value value;
    Instant expires;
  };
  const std::size_t capacity_;
  mutable std::mutex mutex_;
  std::atomic<std::uint64_t> drops_{0};
  std::list<Item> order_;  // most recently used first
  std::unordered_map<Key, typename std::list<Item>::iterator> index_;
};

}  // namespace pileus::aws
