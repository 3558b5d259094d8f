// The templates behind the type-erased operations of shape.h, and Box. Included by generated code.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <vector>

#include "aws/shape.h"
#include "base/clock.h"
#include "base/json.h"

namespace pileus::aws {

// An optional on the heap with value semantics: for members that close a cycle of shapes.
template <class T>
class Box {
 public:
  Box() = default;
  Box(T value) : value_(std::make_unique<T>(std::move(value))) {}
  Box(const Box& other) : value_(other.value_ ? std::make_unique<T>(*other.value_) : nullptr) {}
  Box& operator=(const Box& other) {
    if (this != &other) value_ = other.value_ ? std::make_unique<T>(*other.value_) : nullptr;
    return *this;
  }
  Box(Box&&) noexcept = default;
  Box& operator=(Box&&) noexcept = default;
  bool has_value() const { return value_ != nullptr; }
  explicit operator bool() const { return has_value(); }
  T& operator*() { return *value_; }
  const T& operator*() const { return *value_; }
  T* operator->() { return value_.get(); }
  const T* operator->() const { return value_.get(); }
  T& emplace() { return *(value_ = std::make_unique<T>()); }
  void reset() { value_.reset(); }

 private:
  std::unique_ptr<T> value_;
};

template <class Holder>
inline constexpr OptionalOps optional_ops = {
    [](const void* holder) { return static_cast<const Holder*>(holder)->has_value(); },
    [](const void* holder) -> const void* { return &**static_cast<const Holder*>(holder); },
    [](void* holder) -> void* { return &static_cast<Holder*>(holder)->emplace(); }};

// A list of booleans is a deque, because a vector<bool> has no addressable elements.
template <class List>
inline constexpr ListOps list_ops = {
    [](const void* list) { return static_cast<const List*>(list)->size(); },
    [](const void* list, std::size_t index) -> const void* {
      return &(*static_cast<const List*>(list))[index];
    },
    [](void* list) -> void* { return &static_cast<List*>(list)->emplace_back(); }};

template <class Map>
inline constexpr MapOps map_ops = {
    [](const void* map) { return static_cast<const Map*>(map)->size(); },
    [](const void* map, void* state, void (*visit)(void*, const std::string&, const void*)) {
      for (const auto& [key, value] : *static_cast<const Map*>(map)) visit(state, key, &value);
    },
    [](void* map, std::string key) -> void* {
      return &static_cast<Map*>(map)
                  ->insert_or_assign(std::move(key), typename Map::mapped_type())
                  .first->second;
    }};

}  // namespace pileus::aws
